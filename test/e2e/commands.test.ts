/** What every command does, and what the commands do that bring servers up before they are up. */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { eventually } from '../a-stack.ts'
import { aCommand } from './a-command.ts'

const folder = mkdtempSync(join(tmpdir(), 'kiff-commands-'))
afterAll(() => { rmSync(folder, { recursive: true, force: true }) })

test('a reader that has seen enough is no failure', () => {
  const { status, stderr } = spawnSync('bash', ['-c', 'set -o pipefail; "$0" --conditions=kiff-source src/cli/entry.mjs replay --help | true', process.execPath], { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})

test('the tour, when nobody reads on, ends and leaves nothing behind', () => {
  const temporary = mkdtempSync(join(folder, 'unread-'))
  for (const each of [folder, temporary]) chmodSync(each, 0o711) // so that Postgres's files are put there for root as well
  const env = { ...process.env, KIFF_STATE: join(folder, 'unread-state'), TMPDIR: temporary, DATABASE_URL: '', TEMPORAL_ADDRESS: '' }
  const { status, stdout, stderr } = spawnSync('bash', ['-c', 'set -o pipefail; "$0" --conditions=kiff-source src/cli/entry.mjs tour --fast --json | head -1', process.execPath], { encoding: 'utf8', env })
  expect(JSON.parse(stdout)).toMatchObject({ step: 'allowed', ok: true })
  expect(stderr).toMatch(/\nstopping\n$/)
  expect({ status, left: readdirSync(temporary) }).toEqual({ status: 0, left: [] })
  expect(execFileSync('ps', ['-A', '-o', 'args=']).toString()).not.toContain(temporary)
})

describe.each([['dev', 0], ['tour', 130]] as const)('%s, interrupted while it starts', (name, code) => {
  test.each(['SIGINT', 'SIGTERM'] as const)('by %s: says so at once, stops soon, and leaves nothing running', async (signal) => {
    const temporary = mkdtempSync(join(folder, 'tmp-'))
    const command = aCommand([name], { KIFF_STATE: join(folder, `${name}-${signal}`), TMPDIR: temporary })
    await eventually(async () => command.stderr().includes('creating a Postgres database'))
    const asked = Date.now()
    command.kill(signal)
    await eventually(async () => command.stderr().includes('stopping'), 2_000)
    expect(await command.exited).toBe(code)
    expect(Date.now() - asked).toBeLessThan(10_000)
    expect(command.stderr()).not.toMatch(/interrupted| at .*\.ts:/)
    await eventually(async () => !execFileSync('ps', ['-A', '-o', 'args=']).toString().includes(folder))
    if (name === 'tour') expect(readdirSync(temporary)).toEqual([])
  })
})

const reset = async (state: string, ...args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> => {
  const command = aCommand(['reset', ...args], { KIFF_STATE: state })
  return { code: await command.exited, out: command.lines.join('\n'), err: command.stderr().trim() }
}

describe('reset', () => {
  test('removes what dev keeps, only when told twice, and nothing else', async () => {
    const state = join(folder, 'dev-SIGINT')
    expect(await reset(state)).toMatchObject({ code: 2, err: expect.stringMatching(/^this would remove .*dev-SIGINT.*; say --yes$/) })
    writeFileSync(join(state, 'mine.txt'), 'kept')
    expect(await reset(state, '--yes')).toMatchObject({ code: 0, out: expect.stringMatching(/^removed .*dev-SIGINT/) })
    expect(readdirSync(state)).toEqual(['mine.txt'])
  })

  test('refuses a folder that is not its own', async () => {
    expect(await reset(folder, '--yes')).toMatchObject({ code: 2, err: `${folder} holds nothing of "npm start"` })
    expect(existsSync(folder)).toBe(true)
  })
})
