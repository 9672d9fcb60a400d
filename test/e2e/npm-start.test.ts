import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { logIn } from '../../src/dev/person.ts'
import { openPool } from '../../src/postgres/connect.ts'
import { eventually } from '../a-stack.ts'
import { aCommand, type RunningCommand } from './a-command.ts'

const readyLine = z.strictObject({
  ready: z.literal(true),
  temporal: z.strictObject({ address: z.string(), namespace: z.string(), ui: z.string() }),
  inbox: z.strictObject({ url: z.string(), login: z.string() }),
  database: z.strictObject({ auditor: z.string(), gate: z.string(), owner: z.string() }),
  task_queues: z.strictObject({ agent: z.string(), gate: z.string() }),
  workflows: z.array(z.strictObject({ id: z.string(), entity: z.string().nullable(), status: z.string() })),
  waiting: z.array(z.strictObject({ approval_id: z.string(), entity: z.string(), action: z.string(), summary: z.string() })),
})

const state = mkdtempSync(join(tmpdir(), 'kiff-start-'))
let running: RunningCommand
let ready: z.infer<typeof readyLine>

async function start(): Promise<void> {
  running = aCommand(['dev', '--json'], { KIFF_STATE: state })
  ready = readyLine.parse(JSON.parse(await running.nextLine()))
}

/** A change that was told, or that will be. */
async function change(matches: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
  for (let index = 1; ; index++) {
    while (running.lines.length <= index) await running.nextLine()
    const line = z.record(z.string(), z.unknown()).parse(JSON.parse(running.lines[index] ?? ''))
    if (matches(line)) return line
  }
}

/** The environment of every process below one, by its command line. */
function environments(pid: number): { pid: number; command: string; env: string }[] {
  const children = execFileSync('ps', ['-A', '-o', 'pid=,ppid=']).toString().trim().split('\n').map((line) => line.trim().split(/\s+/).map(Number))
  const below = (parent: number): number[] => children.filter(([, ppid]) => ppid === parent).flatMap(([child = 0]) => [child, ...below(child)])
  return below(pid).map((child) => ({ pid: child, command: readFileSync(`/proc/${child}/cmdline`, 'utf8').replaceAll('\0', ' '), env: readFileSync(`/proc/${child}/environ`, 'utf8') }))
}

beforeAll(start, 240_000)
afterAll(async () => {
  running.kill('SIGKILL')
  await running.exited
  rmSync(state, { recursive: true, force: true })
})

describe('npm start', () => {
  test('runs the small refund, holds the others, and says so line by line', async () => {
    await change((line) => line['entity'] === 'order-1' && line['change'] === 'executed')
    for (const order of ['order-2', 'order-3']) await change((line) => line['entity'] === order && line['change'] === 'approval_requested')
    expect(ready.workflows.map(({ id }) => id)).toEqual(['shop-reports', 'ticket-1', 'ticket-2', 'ticket-3'])
    expect(ready.task_queues).toEqual({ agent: 'kiff-dev-agents', gate: 'kiff.refunds' })
  })

  test('gives each process only its own secrets', () => {
    const secrets = z.object({ passwords: z.record(z.string(), z.string()), paymentsToken: z.string(), reviewKey: z.object({ d: z.string() }) }).parse(JSON.parse(readFileSync(join(state, 'dev-secrets.json'), 'utf8')))
    const { owner = '', gate = '', reviewer = '', auditor = '' } = secrets.passwords
    const all = { owner, gate, reviewer, auditor, payments: secrets.paymentsToken, privateKey: secrets.reviewKey.d }
    const held = Object.fromEntries(environments(running.pid).map(({ command, env }) => [
      /gate-worker|agent-worker|payment-provider|serve|temporal|postgres/.exec(command)?.[0] ?? command,
      Object.entries(all).filter(([, secret]) => env.includes(secret)).map(([name]) => name),
    ]))
    expect(held).toMatchObject({ 'agent-worker': [], 'gate-worker': ['gate', 'payments'], 'payment-provider': ['payments'], serve: ['reviewer', 'privateKey'] })
    for (const [name, secretsHeld] of Object.entries(held)) if (/temporal|postgres/.test(name)) expect(secretsHeld).toEqual([])
  })

  test('a gate worker that dies is told of, and comes back', async () => {
    const gate = environments(running.pid).find(({ command }) => command.includes('gate-worker'))
    process.kill(gate?.pid ?? 0, 'SIGKILL')
    await eventually(async () => /gate worker has ended \(killed\); starting it again\ngate worker is back/.test(running.stderr()))
  })

  test('so do Postgres and Temporal, and what waited still does', async () => {
    for (const [process_, told] of [['bin/postgres -D', 'Postgres'], ['server start-dev', 'the Temporal server']] as const) {
      const server = environments(running.pid).find(({ command }) => command.includes(process_) && !command.includes('/bin/sh'))
      process.kill(server?.pid ?? 0, 'SIGKILL')
      await eventually(async () => running.stderr().includes(`${told} has ended (killed); starting it again`) && running.stderr().includes(`${told} is back`), 40_000)
    }
  })

  test('a person grants through the inbox, and it runs', async () => {
    const person = await logIn(ready.inbox.login)
    const asked = (await person.pending()).find(({ request }) => request.entity_id === 'order-2')
    expect(asked?.request.summary).toBe('Refund €999.00 on order-2')
    expect(await person.review(asked?.request.approval_id ?? '', 'granted', 'it never came')).toMatchObject({ ok: true })
    await change((line) => line['entity'] === 'order-2' && line['change'] === 'executed')
  })

  test('replay, timeline and evidence verify agree with what happened', async () => {
    for (const args of [['replay', 'ticket-2', '--json'], ['timeline', 'order-2', '--json'], ['evidence', 'verify', '--json']]) {
      const command = aCommand(args, { KIFF_STATE: state })
      expect([args[0], await command.exited, command.stderr()]).toEqual([args[0], 0, expect.any(String)])
      expect(() => { for (const line of command.lines) JSON.parse(line) }).not.toThrow()
    }
  })

  test('the gate login can read no table', async () => {
    const pool = openPool(ready.database.gate, { max: 1 })
    await expect(pool.query('select * from kiff.ledger')).rejects.toThrow(/permission denied/)
    await pool.end()
  })

  test('a second one in the same folder is told so', async () => {
    const second = aCommand(['dev', '--json'], { KIFF_STATE: state })
    expect(await second.exited).toBe(1)
    expect(second.stderr()).toMatch(/in use by another/)
    expect(second.stderr()).not.toMatch(/ at .*\.ts:/)
  })

  test('ends within ten seconds, with exit 0, and leaves nothing running; the next start goes on', async () => {
    const before = environments(running.pid).length
    expect(before).toBeGreaterThan(4)
    const pids = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args=']).toString()
    const asked = Date.now()
    running.kill('SIGINT')
    expect(await running.exited).toBe(0)
    expect(Date.now() - asked).toBeLessThan(10_000)
    expect(pids).not.toBe('')
    expect(execFileSync('ps', ['-A', '-o', 'args=']).toString()).not.toContain(state)

    await start()
    expect(Object.fromEntries(ready.workflows.map(({ id, status }) => [id, status]))).toEqual({ 'shop-reports': 'completed', 'ticket-1': 'completed', 'ticket-2': 'completed', 'ticket-3': 'running' })
    expect(ready.waiting).toMatchObject([{ entity: 'order-3', action: 'REFUND_ORDER', summary: 'Refund €250.00 on order-3' }])
    const person = await logIn(ready.inbox.login)
    const [asking] = await person.pending()
    expect(asking?.request.approval_id).toBe(ready.waiting[0]?.approval_id)
    expect(asking?.request.entity_id).toBe('order-3')
    await person.review(asking?.request.approval_id ?? '', 'denied', 'worn')
    await change((line) => line['entity'] === 'order-3' && line['reason'] === 'approval_denied')
    running.kill('SIGTERM')
    expect(await running.exited).toBe(0)
  }, 120_000)
})
