/** `npm run effects` and `npm run proofs`: servers of their own, and what is left when they are stopped, or not read to the end. */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, globSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../a-stack.ts'
import { aCommand, type RunningCommand } from './a-command.ts'

const effects = 'test/attack/effects/main.ts'
const proofs = 'test/proofs/main.ts'
const folder = mkdtempSync(join(tmpdir(), 'kiff-harnesses-'))
beforeAll(() => { chmodSync(folder, 0o711) }) // so that Postgres's files are put there for root as well
afterAll(() => { rmSync(folder, { recursive: true, force: true }) })

const nowhere = { DATABASE_URL: 'postgres://postgres:secret@127.0.0.1:1/postgres', TEMPORAL_ADDRESS: '127.0.0.1:1' }

const stopped: readonly [string, string, readonly string[], (command: RunningCommand, temporary: string) => boolean][] = [
  ['effects, while gates are at work', effects, ['--fault', 'retry', '--seed', '7'], (_, temporary) => globSync('kiff-effects-*/world-*/gate-0.log', { cwd: temporary }).length > 0],
  ['proofs, between two runs', proofs, ['--only', 'decide', '--jobs', '2'], (command) => /\n2\/\d+ /.test(command.stderr())],
]

test.each(stopped)('%s: Ctrl-C leaves nothing behind; no server that is named in the environment is used', async (_, script, args, isAtWork) => {
  const temporary = mkdtempSync(join(folder, 'tmp-'))
  chmodSync(temporary, 0o711)
  const command = aCommand(args, { TMPDIR: temporary, ...nowhere }, script)
  await eventually(async () => isAtWork(command, temporary), 60_000)
  command.kill('SIGINT')
  expect(await command.exited).toBe(130)
  expect(command.stderr()).toMatch(/\nstopping\n$/)
  expect(command.lines).toEqual([])
  expect(readdirSync(temporary)).toEqual([])
  await eventually(async () => !execFileSync('ps', ['-A', '-o', 'args=']).toString().includes(temporary))
}, 90_000)

test.each([
  ['effects', effects, ['--help']],
  ['proofs', proofs, ['--list']],
])('%s: a reader that has seen enough is no failure', (_, script, args) => {
  const { status, stderr } = spawnSync('bash', ['-c', 'set -o pipefail; "$0" --conditions=kiff-source "$@" | true', process.execPath, script, ...args], { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})

test('effects: what cannot be tried is told before anything starts', async () => {
  const command = aCommand(['--fault', 'retry', '--batch', '4'], {}, effects)
  expect(await command.exited).toBe(2)
  expect(command.stderr()).toBe('error: there is no batch 4: retry has 4, counted from 0\n')
})
