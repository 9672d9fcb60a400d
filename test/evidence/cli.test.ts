import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { generateDevReviewKey } from '../../src/approvals/signing.ts'
import { evidenceCommand } from '../../src/cli/evidence.ts'
import { exit, Failure } from '../../src/cli/exit.ts'
import { replayCommand } from '../../src/cli/replay.ts'
import { aCommand } from '../e2e/a-command.ts'
import { fetchHistory } from '../../src/evidence/history.ts'
import { inkFor, printChains } from '../../src/evidence/print.ts'
import type { ReplayReport } from '../../src/evidence/replay.ts'
import { checked, type Checked } from './a-checked-run.ts'
import { alterRow, edited, governedEvents, inPayload } from './tamper.ts'

let evidence: Checked
let folder: string
let env: Record<string, string>

beforeAll(async () => {
  ;[evidence, folder] = await Promise.all([checked(), mkdtemp(join(tmpdir(), 'kiff-evidence-'))])
  env = {
    KIFF_STATE: folder,
    KIFF_AUDITOR_DATABASE_URL: evidence.stack.db.urls.auditor,
    KIFF_WORKFLOWS: 'test/fixtures/workflows/index.ts',
    TEMPORAL_ADDRESS: inject('temporalAddress'),
  }
})
afterAll(() => Promise.all([evidence.stack.close(), rm(folder, { recursive: true, force: true })]))

async function run(args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<{ code: number | null; out: string; err: string }> {
  const command = aCommand(args, { ...env, ...more })
  const code = await command.exited
  return { code, out: command.lines.join('\n'), err: command.stderr().trim() }
}

describe('replay <workflow>', () => {
  test('prints a table of the steps, and ends with 0', async () => {
    const { handle, entityId } = await evidence.aGrantedRun()
    const { code, out, err } = await run(['replay', handle.workflowId])
    expect(err).toBe('')
    expect(code).toBe(0)
    expect(out).toMatch(/^step {2}event {2}activity +entity +outcome +ledger +input +row +key +facts +outcome +record +review +chain +state\n1 /)
    expect(out).toContain(`${handle.workflowId}: 2 governed steps, all as recorded`)
    expect(out).toContain(entityId)
  })

  test('says that signatures were not checked, and checks them with the keys it is given', async () => {
    const { handle } = await evidence.aGrantedRun()
    const unchecked = 'The signatures of the reviews were not checked; give their public keys with --review-keys.'
    expect((await run(['replay', handle.workflowId])).out).toContain(unchecked)
    const [ours, others, privately, none] = ['ours', 'others', 'private', 'none'].map((name) => join(folder, `${name}.json`)) as [string, string, string, string]
    const { privateKey, publicKeys } = await generateDevReviewKey()
    await Promise.all([writeFile(ours, JSON.stringify(evidence.stack.publicKeys)), writeFile(others, JSON.stringify(publicKeys)), writeFile(privately, JSON.stringify({ keys: [privateKey] })), writeFile(none, '{}')])
    const checked = await run(['replay', handle.workflowId, '--review-keys', ours])
    expect(checked.code).toBe(0)
    expect(checked.out).not.toContain('were not checked')
    const forged = await run(['replay', handle.workflowId, '--review-keys', others, '--json'])
    expect(forged.code).toBe(5)
    expect(JSON.parse(forged.out)).toMatchObject({ ok: false, signatures: 'checked', findings: [{ kind: 'review', step: 2 }] })
    for (const [file, why] of [[privately, 'whoever verifies must not hold a private review key'], [none, 'it is no JWKS'], [join(folder, 'nowhere.json'), 'ENOENT']] as const) {
      const refused = await run(['replay', handle.workflowId, '--review-keys', file])
      expect(refused.code).toBe(exit.usage)
      expect(refused.err).toContain(`${file} holds no public review keys: `)
      expect(refused.err).toContain(why)
    }
  })

  test('reads a history from a file, and names the first step that differs with exit 5', async () => {
    const granted = await evidence.aGrantedRun()
    const file = join(folder, 'history.json')
    await writeFile(file, historyToJSON(edited(await evidence.history(granted), (json) => inPayload(governedEvents(json)[1]?.input.payloads[0], (text) => text.replace('99900', '99')))))
    const { code, out } = await run(['replay', file])
    expect(code).toBe(5)
    expect(out).toContain('step 2 (refunds.REFUND_ORDER')
    const told = await run(['replay', file, '--json'])
    expect(told.code).toBe(5)
    expect(JSON.parse(told.out) as ReplayReport).toMatchObject({ ok: false, steps: [{ checks: { input: true } }, { checks: { input: false } }] })
  })

  test('knows the workflow code of the commands that ask a gate', async () => {
    const { entityId } = await evidence.aRun()
    const asked = await run(['propose', 'refunds', 'REFUND_ORDER', entityId, '{"amountCents": 4200, "reason": "late"}', '--actor', 'support-agent-1', '--task-queue', evidence.stack.queues.gate, '--json'])
    expect(asked.code).toBe(3)
    const { workflowId } = z.object({ workflowId: z.string() }).parse(JSON.parse(asked.out))
    expect(await run(['replay', workflowId])).toMatchObject({ code: 0, out: expect.stringContaining(`${workflowId}: 1 governed step, all as recorded`) })
    const file = join(folder, 'asked.json')
    await writeFile(file, historyToJSON(await fetchHistory(evidence.stack.client, workflowId)))
    expect(await run(['replay', file], { KIFF_WORKFLOWS: 'nowhere.ts' })).toMatchObject({ code: 0 })
    expect(await run(['replay', workflowId, '--workflows', 'workflows/index.ts'])).toMatchObject({ code: 1, err: expect.stringMatching(/^the workflow code cannot run this history: .*proposeAction/) })
  })

  test('workflow code that cannot run this history is told in one sentence', async () => {
    const { handle } = await evidence.aRun()
    const { code, err } = await run(['replay', handle.workflowId, '--workflows', 'workflows/index.ts'])
    expect(code).toBe(1)
    expect(err).toMatch(/^the workflow code cannot run this history: .*proposeInTurn/)
    expect(err).not.toContain('\n')
  })
})

describe('evidence verify', () => {
  test('counts what it has verified; names an altered row with exit 5, in JSON as well', async () => {
    const { chain } = await evidence.aRun()
    const clean = await run(['evidence', 'verify'])
    expect(clean).toMatchObject({ code: 0, err: '' })
    expect(clean.out).toMatch(/^\d+ rows in \d+ chains verified$/)
    await alterRow(evidence.stack, chain, 4, "body = replace(body, '4200', '42')")
    const altered = await run(['evidence', 'verify', '--entity', chain])
    expect(altered).toMatchObject({ code: 5 })
    expect(altered.out).toContain(`${chain}#4  body_altered: the body was altered`)
    // What a running `npm start` has written down serves where the environment says nothing.
    const { temporal, database } = { temporal: { address: inject('temporalAddress'), namespace: 'default', ui: null }, database: evidence.stack.db.urls }
    await writeFile(join(folder, 'ready.json'), JSON.stringify({ ready: true, temporal, database }))
    delete env['KIFF_AUDITOR_DATABASE_URL']
    const told = await run(['evidence', 'verify', '--json'])
    expect(told.code).toBe(5)
    expect(JSON.parse(told.out)).toMatchObject({ ok: false, findings: [{ chain, seq: 4, kind: 'body_altered' }] })
  })
})

/** The failure that a command ends with, in this process. */
async function failureOf(args: readonly string[]): Promise<Failure> {
  const program = new Command().exitOverride()
  replayCommand(program)
  evidenceCommand(program)
  const failure: unknown = await program.parseAsync(args, { from: 'user' }).then(() => 'no failure', (error: unknown) => error)
  if (failure instanceof Failure) return failure
  throw failure
}

describe('what cannot be done is told in one sentence', () => {
  test.each([
    ['a workflow that does not exist', () => ['replay', 'no-such-workflow', '--address', inject('temporalAddress')], exit.failure, /^there is no workflow no-such-workflow in namespace default$/],
    ['a file that does not exist', () => ['replay', 'missing.json'], exit.usage, /^there is no file missing\.json$/],
    ['a file that is no history', () => ['replay', 'package.json'], exit.usage, /^package\.json: the file is not a workflow history: .+$/],
    ['workflows that do not exist', () => ['replay', 'x', '--workflows', 'nowhere.ts'], exit.usage, /^nowhere\.ts does not exist; .+$/],
    ['a server that is not there', () => ['replay', 'x', '--address', '127.0.0.1:1'], exit.failure, /^there is no Temporal server at 127\.0\.0\.1:1 .+$/],
    ['a database URL that is none', () => ['evidence', 'verify', '--database', 'http://x'], exit.usage, /^a database URL reads postgres:.+$/],
    ['a database that is not there', () => ['evidence', 'verify', '--database', 'postgres://x:x@127.0.0.1:1/x'], exit.failure, /^the auditor's database cannot be reached: .*ECONNREFUSED.+$/],
    ['a database that is not ours', () => ['evidence', 'verify', '--database', inject('postgresAdminUrl')], exit.failure, /^the database has no ledger that this login may read; .+$/],
    ['an entity nobody has heard of', () => ['evidence', 'verify', '--entity', 'refunds/Order/none', '--database', evidence.stack.db.urls.auditor], exit.failure, /^nothing is recorded about refunds\/Order\/none; .+$/],
  ])('%s', async (_, args, code, sentence) => {
    const failure = await failureOf(args())
    expect(failure.message).toMatch(sentence)
    expect(failure.code).toBe(code)
  })
})

describe('what is printed', () => {
  test('has colours on a terminal only, and none with NO_COLOR', () => {
    expect(inkFor({ isTTY: true }, {}).bad('x')).toBe('\u001b[31mx\u001b[39m')
    expect(inkFor({ isTTY: true }, { NO_COLOR: '1' }).bad('x')).toBe('x')
    expect(inkFor({}, {}).bad('x')).toBe('x')
  })

  test('never lets what an agent wrote command the terminal', () => {
    const printed = printChains({ ok: false, rows: 1, chains: 1, findings: [{ chain: 'refunds/Order/\u001b[2J', seq: 1, kind: 'misplaced', message: 'a\u202eb\nc' }] }, inkFor({}, {}))
    expect(printed).toBe('refunds/Order/·[2J#1  misplaced: a·b·c\n1 row in 1 chain read, 1 finding')
  })
})
