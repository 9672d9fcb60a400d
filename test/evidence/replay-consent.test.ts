/** The replay check where people, facts, mandates and questions come in. */
import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDesk } from '../../src/approvals/review.ts'
import { createReviewSigner, generateDevReviewKey } from '../../src/approvals/signing.ts'
import { sha256 } from '../../src/core/digest.ts'
import { mandateType } from '../../src/core/mandate.ts'
import { fetchHistory } from '../../src/evidence/history.ts'
import { KiffPlugin } from '../../src/gate/index.ts'
import { createReviewStore } from '../../src/postgres/review-store.ts'
import { wallets, walletsDeriving } from '../fixtures/wallets.ts'
import { failed } from './a-checked-run.ts'
import { balanceCents, walletRuns, type WalletRuns } from './a-wallet-run.ts'
import { alterRow, appendRows, asOwner, edited, governedEvents, inPayload, rewriteFrom } from './tamper.ts'

let stack: WalletRuns['stack']
let runs: WalletRuns

beforeAll(async () => {
  runs = await walletRuns({ verified: false })
  ;({ stack } = runs)
})
afterAll(() => stack.close())

const small = { action: 'PAY_OUT', amountCents: 4_000 }
const bodyAt = async (chain: string, seq: number): Promise<string> => {
  const { rows } = await stack.db.pool('auditor').query<{ body: string }>('select body from kiff.ledger join kiff.chains c using (chain) where c.key = $1 and ledger.seq = $2', [chain, seq])
  return rows[0]?.body ?? ''
}

describe('what two people have granted', () => {
  test('agrees, and says whether the signatures were checked', async () => {
    const run = await runs.aGrantedRun()
    const report = await runs.check(run)
    expect(report.findings).toEqual([])
    expect(report).toMatchObject({ ok: true, signatures: 'not_checked', steps: [
      { outcome: 'approval_required', checks: { facts: true, review: null } },
      { outcome: 'allowed', checks: { facts: true, outcome: true, review: true } },
    ] })
    expect(await runs.check(run, { reviewKeys: stack.publicKeys })).toMatchObject({ ok: true, signatures: 'checked' })
    expect(await runs.check(await runs.run({ calls: [small] }))).toMatchObject({ ok: true, signatures: 'none', steps: [{ checks: { review: null } }] })
  })

  test('agrees where one has said no after the other had agreed', async () => {
    const denied = await runs.start({ calls: [{ action: 'PAY_OUT', amountCents: 50_000 }] })
    const approvalId = await stack.asked(denied.entityId)
    await stack.review(approvalId, 'granted', 'olga')
    await stack.review(approvalId, 'denied', 'otto')
    await denied.handle.result()
    expect(await runs.check(denied, { reviewKeys: stack.publicKeys })).toMatchObject({ ok: true, signatures: 'checked', steps: [{}, { reason: 'approval_denied', checks: { review: true } }] })
  })

  test('agrees where a grant was revoked before it was used', async () => {
    const queue = `gate-${randomUUID()}`
    const gate = await stack.startGate({ queue })
    const run = await runs.start({ queue, calls: [{ action: 'PAY_OUT', amountCents: 50_000 }] })
    const approvalId = await stack.asked(run.entityId)
    await gate.stop()
    for (const reviewer of ['olga', 'otto']) await stack.review(approvalId, 'granted', reviewer)
    await stack.desk.revoke({ approvalId, reviewer: 'olga', reason: 'a mistake' })
    await stack.startGate({ queue })
    await run.handle.result()
    expect(await runs.check(run)).toMatchObject({ ok: true, steps: [{}, { outcome: 'blocked', reason: 'approval_void', checks: { review: null, record: true } }] })
  })

  test('names a grant of which one review is gone', async () => {
    const run = await runs.aGrantedRun()
    await asOwner(stack, (owner) => owner.query("delete from kiff.reviews where approval_id = $1 and reviewer = 'otto'", [run.approvalId]))
    const report = await runs.check(run)
    expect(failed(report)).toEqual(['1 chain', '2 review', '2 chain'])
    expect(report.steps[1]?.problem).toContain('1 of the 2 people it needs have granted it')
    expect(report.findings).toContainEqual(expect.objectContaining({ kind: 'review_altered', message: expect.stringContaining('the signed review that it records is gone') }))
  })

  test('names a grant of which one review was given to somebody else', async () => {
    const run = await runs.aGrantedRun()
    await asOwner(stack, (owner) => owner.query("update kiff.reviews set reviewer = 'mallory' where approval_id = $1 and reviewer = 'otto'", [run.approvalId]))
    const report = await runs.check(run)
    expect(failed(report)).toEqual(['1 chain', '2 review', '2 chain'])
    expect(report.steps[1]?.problem).toContain('the signed review is of something else: reviewer is "otto", not "mallory"')
    expect(report.findings).toContainEqual(expect.objectContaining({ kind: 'review_altered', message: expect.stringContaining('a review by mallory is kept that no row records') }))
  })

  test('names a review that was forged with a ledger made to fit', async () => {
    const run = await runs.aGrantedRun()
    const { rows } = await stack.db.pool('auditor').query<{ jws: string }>("select jws from kiff.reviews where approval_id = $1 and reviewer = 'otto'", [run.approvalId])
    const jws = rows[0]?.jws ?? ''
    const forged = `${jws.slice(0, -8)}AAAAAAAA`
    await asOwner(stack, (owner) => owner.query("update kiff.reviews set jws = $2 where approval_id = $1 and reviewer = 'otto'", [run.approvalId, forged]))
    await rewriteFrom(stack, run.chain, 4, (body) => body.replace(sha256(jws), sha256(forged)))
    const report = await runs.check(run)
    expect(failed(report)).toEqual(['2 record', '2 review'])
    expect(report.findings).toContainEqual(expect.objectContaining({ kind: 'review', message: expect.stringContaining('the signed review by otto did not come to this step by signal') }))
    expect((await runs.check(run, { reviewKeys: stack.publicKeys })).findings).toContainEqual(expect.objectContaining({ kind: 'review', message: expect.stringContaining('the review by otto is not signed by any of the review keys') }))
  })

  test('names a denial, or a revocation, that is beside the grants', async () => {
    const [denied, revoked] = [await runs.aGrantedRun(), await runs.aGrantedRun()]
    await asOwner(stack, (owner) => owner.query("update kiff.reviews set verdict = 'denied' where approval_id = $1 and reviewer = 'otto'", [denied.approvalId]))
    expect((await runs.check(denied)).steps[1]?.problem).toContain('a person has denied it')
    const reviewed = await bodyAt(revoked.chain, 4)
    await appendRows(stack, 'entity', revoked.chain, [reviewed.replace('"kind":"reviewed"', '"kind":"approval_revoked"')])
    const report = await runs.check(revoked)
    expect(failed(report)).toEqual(['2 review'])
    expect(report.steps[1]?.problem).toContain('its grant was revoked')
  })

  test('names a grant that was not used up, and one that another execution has used', async () => {
    const [unused, elsewhere] = [await runs.aGrantedRun(), await runs.aGrantedRun()]
    await asOwner(stack, (owner) => owner.query('delete from kiff.consumptions where approval_id = $1', [unused.approvalId]))
    await asOwner(stack, (owner) => owner.query("update kiff.consumptions set execution_key = 'another' where approval_id = $1", [elsewhere.approvalId]))
    for (const run of [unused, elsewhere]) {
      const report = await runs.check(run)
      expect(failed(report)).toEqual(['2 review'])
      expect(report.steps[1]?.problem).toContain('its grant was not used up by this execution')
    }
  })

  test('whoever steals the reviewer login and a gate process is found by the review keys alone', async () => {
    const thief = await generateDevReviewKey()
    const queue = `gate-${randomUUID()}`
    await stack.startGate({ queue, reviewKeys: thief.publicKeys })
    const desk = createDesk(createReviewStore(stack.db.pool('reviewer')), await createReviewSigner(thief.privateKey))
    const run = await runs.start({ queue, calls: [{ action: 'PAY_OUT', amountCents: 50_000 }] })
    const approvalId = await stack.asked(run.entityId)
    const digest = (await desk.show(approvalId))?.digest ?? ''
    for (const reviewer of ['olga', 'otto']) await desk.review({ approvalId, digest, verdict: 'granted', reason: '', reviewer })
    await run.handle.result()
    expect(await runs.check(run)).toMatchObject({ ok: true, signatures: 'not_checked' })
    const report = await runs.check(run, { reviewKeys: stack.publicKeys })
    expect(failed(report)).toEqual(['2 review'])
    expect(report.steps[1]?.problem).toContain('is not signed by any of the review keys')
  })

  test('takes no private key to check with', async () => {
    const { privateKey } = await generateDevReviewKey()
    const run = await runs.run({ calls: [small] })
    await expect(runs.check(run, { reviewKeys: { keys: [privateKey] } })).rejects.toThrow('must not hold a private review key')
  })
})

describe('the circumstances of a grant', () => {
  test('names loaded facts that differ from those that were granted', async () => {
    const run = await runs.aGrantedRun()
    await rewriteFrom(stack, run.chain, 5, (body) => body.replace(`"balanceCents":${balanceCents}`, '"balanceCents":7'))
    const report = await runs.check(run)
    expect(failed(report)).toEqual(['2 record', '2 review'])
    expect(report.findings).toContainEqual(expect.objectContaining({ kind: 'review', message: expect.stringContaining(`it was granted for other circumstances: facts.balanceCents is ${balanceCents}, not 7`) }))
  })

  test('names a person that it was not granted for', async () => {
    const run = await runs.aGrantedRun()
    await rewriteFrom(stack, run.chain, 5, (body) => body.replace('"on_behalf_of":null', '"on_behalf_of":"mallory"'))
    const report = await runs.check(run)
    expect(failed(report)).toEqual(['2 row', '2 record', '2 review'])
    expect(report.steps[1]?.problem).toContain('on_behalf_of is "mallory", not null')
    expect(report.findings).toContainEqual(expect.objectContaining({ kind: 'review', message: expect.stringContaining('it was granted for other circumstances: on_behalf_of is null, not "mallory"') }))
  })
})

describe('facts from events', () => {
  test('agree with the past that the chain holds before each row', async () => {
    const report = await runs.check(await runs.run({ calls: [small, { action: 'JOT', amountCents: 90_000 }, small, { action: 'PAY_OUT', amountCents: 6_000 }, { action: 'PAY_OUT', amountCents: 0 }] }))
    expect(report.findings).toEqual([])
    expect(report.steps.map(({ outcome, reason, checks }) => [outcome, reason, checks.facts])).toEqual([
      ['allowed', undefined, true], ['allowed', undefined, true], ['allowed', undefined, true], ['blocked', 'forbidden', true], ['invalid', 'invalid_parameter', null],
    ])
  })

  test('a gate that lies about them is found, whatever it lets run', async () => {
    const queue = `gate-${randomUUID()}`
    await stack.startGate({ queue, bound: runs.payingFor(walletsDeriving(() => 0)) })
    const run = await runs.run({ queue, calls: [{ action: 'JOT', amountCents: 99_000 }, small, { action: 'JOT', amountCents: 1 }] })
    const report = await runs.check(run)
    expect(failed(report)).toEqual(['2 facts', '3 facts'])
    expect(report.steps[1]?.problem).toMatch(/^row wallets\/Wallet\/.*#3: the events before it lead to other facts: facts\.paidOutCents is 0, not 99000$/)
  })

  test('a gate that lies about them to a person is found', async () => {
    const queue = `gate-${randomUUID()}`
    await stack.startGate({ queue, bound: runs.payingFor(walletsDeriving(() => 7)) })
    const report = await runs.check(await runs.aGrantedRun({ queue }))
    expect(failed(report)).toEqual(['1 facts', '2 facts'])
  })

  test('a row that was altered to hold none is found', async () => {
    const run = await runs.run({ calls: [small] })
    await rewriteFrom(stack, run.chain, 2, (body) => body.replace(/"facts":\{[^}]*\},/, ''))
    expect(failed(await runs.check(run))).toEqual(['1 facts', '1 outcome', '1 record'])
  })

  test('an event before it that was altered is found at the step that rests on it', async () => {
    const run = await runs.run({ calls: [small] })
    const next = await runs.run({ entityId: run.entityId, calls: [small] })
    await rewriteFrom(stack, run.chain, 3, (body) => body.replace('"payload":{"amountCents":4000}', '"payload":{"amountCents":1}'))
    expect(failed(await runs.check(next))).toEqual(['1 facts', '1 record'])
  })
})

describe('trace and mandate', () => {
  test('agree where the input carries them', async () => {
    const { mandate, workflow } = await envoys()
    const trace = { traceId: 'trace-1', correlationId: 'case-1', tags: { desk: 'north' } }
    const run = await workflow({ trace, mandate: mandate({}) })
    const report = await runs.check(run)
    expect(report.findings).toEqual([])
    expect(report).toMatchObject({ ok: true, steps: [{ outcome: 'allowed', checks: { row: true } }] })
    expect(JSON.parse(await bodyAt(run.chain, 2))).toMatchObject({ trace_id: 'trace-1', on_behalf_of: 'ada' })
  })

  test('agree where the mandate is not believed', async () => {
    const { mandate, workflow } = await envoys()
    for (const wrong of [mandate({ workflow_id: 'another' }), 'no.mandate.this']) {
      const report = await runs.check(await workflow({ mandate: wrong }))
      expect(report).toMatchObject({ ok: true, steps: [{ outcome: 'blocked', reason: 'actor_unproven', checks: { row: true } }] })
    }
  })

  test.each([
    ['trace_id', /"trace_id":"[^"]*"/, '"trace_id":"another"'],
    ['correlation_id', /"correlation_id":"[^"]*"/, '"correlation_id":"another"'],
    ['tags', /"tags":\{[^}]*\}/, '"tags":{}'],
    ['on_behalf_of', /"on_behalf_of":"ada"/, '"on_behalf_of":"eve"'],
    ['mandate', /"sha256":"\w{4}/, '"sha256":"0000'],
  ])('names a row with another %s than its input', async (name, from, to) => {
    const { mandate, workflow } = await envoys()
    const run = await workflow({ trace: { tags: { desk: 'north' } }, mandate: mandate({}) })
    const body = await bodyAt(run.chain, 2)
    const altered = body.replace(from, to)
    expect(altered).not.toBe(body)
    await alterRow(stack, run.chain, 2, `body = '${altered.replaceAll("'", "''")}'`)
    const report = await runs.check(run)
    expect(failed(report)).toEqual(['1 row', '1 chain'])
    expect(report.steps[0]?.problem).toContain(name)
  })
})

/** A gate that serves nobody but by mandate, and payouts that `envoy` asks it for. */
async function envoys() {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  const queue = `gate-${randomUUID()}`
  await stack.startWorker({
    taskQueue: queue, shutdownGraceTime: '1 second',
    plugins: [new KiffPlugin({ gate: {
      bound: runs.payingFor(wallets), databaseUrl: stack.db.urls.gate, reviewKeys: stack.publicKeys, actors: [],
      mandateIssuers: [{ issuer: 'desk', keys: { keys: [{ ...(await exportJWK(publicKey)), kid: 'd-1' }] } }],
    } })],
  })
  const workflowId = `payout-${randomUUID()}`
  const mandates = new Map<string, string>()
  for (const id of [workflowId, 'another']) {
    mandates.set(id, await new SignJWT({ on_behalf_of: 'ada', namespace: 'default', workflow_id: id })
      .setProtectedHeader({ alg: 'EdDSA', typ: mandateType, kid: 'd-1' }).setIssuer('desk').setSubject('envoy').setExpirationTime('1 hour').sign(privateKey))
  }
  return {
    mandate: (over: { readonly workflow_id?: string }): string => mandates.get(over.workflow_id ?? workflowId) ?? '',
    workflow: (payout: Parameters<WalletRuns['run']>[0] extends infer P ? Omit<P, 'calls'> : never) =>
      runs.run({ queue, actor: 'envoy', calls: [small], ...payout }, workflowId),
  }
}

describe('questions', () => {
  test('are steps of which no record is due', async () => {
    const run = await runs.start({ asksFirst: true, calls: [small, { action: 'PAY_OUT', amountCents: 200_000 }, { action: 'NO_SUCH_ACTION', amountCents: 1 }] })
    expect(await run.handle.result()).toMatchObject({ evaluations: [{ outcome: 'allowed' }, { reason: 'forbidden' }, { reason: 'unknown_action' }], results: [{ outcome: 'allowed' }, { reason: 'forbidden' }, { reason: 'unknown_action' }] })
    const report = await runs.check(run)
    expect(report.findings).toEqual([])
    expect(report.ok).toBe(true)
    expect(report.steps.map(({ activity, outcome }) => [activity, outcome])).toEqual([
      ['wallets.allowedActions', 'completed'],
      ['wallets.evaluate', 'completed'], ['wallets.PAY_OUT', 'allowed'],
      ['wallets.evaluate', 'completed'], ['wallets.PAY_OUT', 'blocked'],
      ['wallets.evaluate', 'completed'], ['wallets.NO_SUCH_ACTION', 'invalid'],
    ])
    expect(report.steps[1]).toMatchObject({ entity: run.entityId, record: null, checks: { input: true, row: null, key: null, facts: null, outcome: null, record: null, review: null, chain: null, state: null } })
  })

  test('that have a row in the ledger are named', async () => {
    const run = await runs.run({ asksFirst: true, calls: [small] })
    const executed = await bodyAt(run.chain, 3)
    await appendRows(stack, 'entity', run.chain, [executed.replace('"activity_id":"3"', '"activity_id":"1"').replace(/"events":\[.*?\],/, '')])
    const report = await runs.check(run)
    expect(failed(report)).toEqual(['1 row'])
    expect(report.steps[0]?.problem).toContain('a question was asked, of which nothing is recorded')
  })

  test('whose input was changed in the history are named like any step', async () => {
    const run = await runs.run({ asksFirst: true, calls: [small] })
    const history = edited(await fetchHistory(stack.client, run.handle.workflowId), (json) => inPayload(governedEvents(json)[1]?.input.payloads[0], (text) => text.replace('4000', '4')))
    expect(failed(await runs.check(run, { history }))).toEqual(['2 input'])
  })
})
