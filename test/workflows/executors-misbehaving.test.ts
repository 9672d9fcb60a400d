/**
 * Everything an executor can do wrong, as a table: how each ends on a key that its receiver honours (SEND), and on one that it does
 * not (CALL). Every end is recorded, and where nobody knows, a person is told.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { executors, NotDone, type ExecutorContext } from '../../src/gate/index.ts'
import { aStack, eventually, type Stack } from '../a-stack.ts'
import { mischief, speechless } from '../fixtures/mischief.ts'

type Effect = 'SEND' | 'CALL'
type Conduct = (context: ExecutorContext<unknown>) => unknown

/** How an execution ends: what the workflow is told, what the ledger holds from its opening on, how often it ran, and who is told. */
const ends = {
  done: { answer: { outcome: 'allowed' }, rows: ['opened', 'executed'], ran: 1, told: null },
  /** The first attempt left it open; the next took it up with the same key. */
  doneAgain: { answer: { outcome: 'allowed' }, rows: ['opened', 'resumed', 'executed'], ran: 2, told: null },
  failed: { answer: { outcome: 'blocked', reason: 'execution_failed' }, rows: ['opened', 'failed'], ran: 1, told: null },
  inDoubt: { answer: { outcome: 'blocked', reason: 'outcome_unknown' }, rows: ['opened', 'in_doubt', 'refused'], ran: 1, told: 'in_doubt' },
  /** It happened, and what came back cannot be accepted. */
  rejected: { answer: { outcome: 'blocked', reason: 'outcome_unknown' }, rows: ['opened', 'completion_rejected'], ran: 1, told: 'completion_rejected' },
} as const

const ok = { ok: true }
const never = new Promise(() => {})
const thrown = (error: unknown): Conduct => () => { throw error }
const returned = (output: unknown): Conduct => () => output
/** Returns what is awaited as a promise is, and is none. */
// oxlint-disable-next-line unicorn/no-thenable -- that is the misconduct
const promised = (then: (done: (output: unknown) => void, fail: (error: Error) => void) => void): Conduct => () => ({ then })

/** Whose every part throws when it is touched. */
const untouchable = new Proxy({}, Object.fromEntries(['get', 'has', 'ownKeys', 'getPrototypeOf', 'getOwnPropertyDescriptor'].map((trap) => [trap, () => { throw new Error('do not touch') }])))
const cycle: Record<string, unknown> = { ok: true }
cycle['self'] = cycle
/** As objects of a database library are: everything leads back to everything. */
const graph: Record<string, unknown> = { ok: true }
graph['lines'] = Array.from({ length: 10 }, () => ({ order: graph }))

/** One that reads well once, and then no more. */
function readableOnce(): object {
  let reads = 0
  return Object.defineProperty({ ok: true }, 'text', { enumerable: true, get: () => { if (reads++ > 0) throw new Error('read already'); return 'x' } })
}

const table: readonly (readonly [name: string, conduct: Conduct, send: keyof typeof ends, call: keyof typeof ends])[] = [
  ['throws an error', thrown(new Error('connection reset')), 'doneAgain', 'inDoubt'],
  ['throws nothing', thrown(undefined), 'doneAgain', 'inDoubt'],
  ['throws a symbol', thrown(Symbol('x')), 'doneAgain', 'inDoubt'],
  ['throws what cannot be read', thrown(untouchable), 'doneAgain', 'inDoubt'],
  ['throws what has no words', thrown(Object.create(null)), 'doneAgain', 'inDoubt'],
  ['throws an error whose message cannot be read', thrown(Object.defineProperty(new Error('x'), 'message', { get() { throw new Error('boom') } })), 'doneAgain', 'inDoubt'],
  ['throws an error with U+0000 and half a character', thrown(new Error('a\u0000\uD800')), 'doneAgain', 'inDoubt'],
  ['throws an error of two megabytes', thrown(new Error('x'.repeat(2_000_000))), 'doneAgain', 'inDoubt'],
  ['throws what Temporal would not retry', thrown(Object.assign(new Error('x'), { name: 'ApplicationFailure', nonRetryable: true })), 'doneAgain', 'inDoubt'],
  ['throws, and its contract loses its words', ({ entityId }) => { speechless.add(entityId); throw new Error('connection reset') }, 'doneAgain', 'inDoubt'],
  ['says that nothing was done', thrown(new NotDone('declined')), 'failed', 'failed'],
  ['says so with U+0000 and half a character', thrown(new NotDone('a\u0000\uD800')), 'failed', 'failed'],
  ['says so in two megabytes', thrown(new NotDone('x'.repeat(2_000_000))), 'failed', 'failed'],
  ['hangs, and ignores its signal', () => never, 'doneAgain', 'inDoubt'],
  ['hangs until its signal', ({ signal }) => new Promise((_, reject) => { signal.addEventListener('abort', () => reject(new Error('aborted'))) }), 'doneAgain', 'inDoubt'],
  ['says only after its deadline that nothing was done', ({ signal }) => new Promise((_, reject) => { signal.addEventListener('abort', () => setTimeout(() => reject(new NotDone('too late')), 50)) }), 'doneAgain', 'inDoubt'],
  ['returns a promise of its own making that fails', promised((_, fail) => fail(new Error('no'))), 'doneAgain', 'inDoubt'],
  ['returns a promise of its own making that throws', promised(() => { throw new Error('no') }), 'doneAgain', 'inDoubt'],
  ['returns a promise of its own making that never ends', promised(() => {}), 'doneAgain', 'inDoubt'],
  ['returns a promise of its own making that keeps its word', promised((done) => done(ok)), 'done', 'done'],
  ['returns nothing', returned(undefined), 'rejected', 'rejected'],
  ['returns another shape', returned({ ok: 'yes' }), 'rejected', 'rejected'],
  ['returns text', returned('ok'), 'rejected', 'rejected'],
  ['returns a number that is none', returned({ ok: true, amount: Number.NaN }), 'rejected', 'rejected'],
  ['returns a bigint', returned({ ok: true, amount: 10n }), 'rejected', 'rejected'],
  ['returns a function', returned({ ok: true, next: () => ok }), 'rejected', 'rejected'],
  ['returns a date', returned({ ok: true, at: new Date(0) }), 'rejected', 'rejected'],
  ['returns text with U+0000', returned({ ok: true, text: 'a\u0000' }), 'rejected', 'rejected'],
  ['returns half a character', returned({ ok: true, text: 'a\uD800' }), 'rejected', 'rejected'],
  ['returns a member whose name cannot be kept', returned({ ok: true, 'a\u0000\uD800': 1 }), 'rejected', 'rejected'],
  ['returns what contains itself', returned(cycle), 'rejected', 'rejected'],
  ['returns what contains itself many times over', returned(graph), 'rejected', 'rejected'],
  ['returns what throws when it is read', returned(Object.defineProperty({ ok: true }, 'text', { enumerable: true, get() { throw new Error('boom\u0000') } })), 'rejected', 'rejected'],
  ['returns what throws wherever it is touched', () => [untouchable], 'rejected', 'rejected'],
  ['returns what can be read only once', () => ({ ok: true, inside: readableOnce() }), 'done', 'done'],
  ['returns what cannot be accepted, nor read twice', () => ({ ok: 'yes', inside: readableOnce() }), 'rejected', 'rejected'],
  ['returns a proxy that reads like a plain answer', returned(new Proxy(ok, {})), 'done', 'done'],
  ['returns two megabytes', returned({ ok: true, text: 'x'.repeat(2_000_000) }), 'rejected', 'rejected'],
  ['returns what the contract has no words for', returned({ ok: true, words: 'throw' }), 'rejected', 'rejected'],
  ['returns what makes an event of another shape', returned({ ok: true, words: 7 }), 'rejected', 'rejected'],
  ['returns what makes an event that cannot be kept', returned({ ok: true, words: 'a\u0000' }), 'rejected', 'rejected'],
]

let stack: Stack
const children: ChildProcess[] = []
const conducts = new Map<string, Conduct>()
const keys = new Map<string, string[]>()
const executor = async (context: ExecutorContext<unknown>): Promise<never> => {
  const seen = [...(keys.get(context.entityId) ?? []), context.idempotencyKey]
  keys.set(context.entityId, seen)
  const conduct = conducts.get(context.entityId)
  return (seen.length === 1 && conduct !== undefined ? await conduct(context) : ok) as never
}
const bound = executors(mischief, { SEND: executor, CALL: executor })

beforeAll(async () => {
  stack = await aStack({ bound, actors: ['bot', 'clerk'], members: { bot: 'bot', clerk: 'reporter', olga: 'reviewer' } })
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await stack.close()
})

const asking = (actor: string, queue = stack.queues.gate, startToCloseTimeout = '20 seconds') => ({ domain: 'mischief', actor, startToCloseTimeout, taskQueue: queue })

async function anAccount(): Promise<string> {
  const entityId = `account-${crypto.randomUUID()}`
  await stack.run('askInTurn', [asking('clerk'), [{ ask: 'report', event: 'OPENED', entityId, payload: {} }]])
  return entityId
}

async function propose(action: Effect | 'NOTE', entityId: string, { queue, note = 'x', within }: { readonly queue?: string; readonly note?: string; readonly within?: string } = {}): Promise<unknown> {
  const [answer] = (await stack.run('askInTurn', [asking('bot', queue, within), [{ ask: 'propose', action, entityId, params: { note } }]])) as unknown[]
  return answer
}

async function rowsOf(entityId: string): Promise<string[]> {
  const { rows } = await stack.db.pool('auditor').query<{ kind: string }>('select kind from kiff.ledger where entity_id = $1 order by chain, seq', [entityId])
  return rows.map(({ kind }) => kind)
}

async function expectEnd(end: keyof typeof ends, entityId: string, answer: unknown): Promise<void> {
  const { answer: expected, rows, ran, told } = ends[end]
  expect(answer).toMatchObject(expected)
  expect(await rowsOf(entityId)).toEqual(['event', ...rows])
  expect(keys.get(entityId)).toHaveLength(ran)
  expect(new Set(keys.get(entityId)).size).toBe(1)
  const inbox = (await stack.desk.inDoubt()).filter((each) => each.entity_id === entityId)
  expect(inbox).toHaveLength(told === null ? 0 : 1)
  // Said by whoever saw it, not found out when its lease was over.
  const doubt = (await stack.audit(entityId)).find(({ kind }) => kind === 'action_in_doubt')
  expect(doubt?.data['error']).not.toBe('the worker was lost while it ran')
  // Held until a person has looked, else free.
  expect(await propose('NOTE', entityId)).toMatchObject(told === null ? { outcome: 'allowed' } : { outcome: 'blocked', reason: 'outcome_unknown' })
}

describe.concurrent.each(['SEND', 'CALL'] as const)('%s', (effect) => {
  test.each(table)('%s', async (name, conduct, send, call) => {
    const entityId = await anAccount()
    conducts.set(entityId, conduct)
    // Nobody waits long for those that do not end.
    const answer = await propose(effect, entityId, /hangs|deadline|never ends/.test(name) ? { within: '2 seconds' } : {})
    await expectEnd(effect === 'SEND' ? send : call, entityId, answer)
  })
})

test('keeps what it has returned, and changes it: what is told is what is recorded', async () => {
  const entityId = await anAccount()
  const inside = { amount: 1 }
  conducts.set(entityId, () => {
    setImmediate(() => { inside.amount = 2 })
    return { ok: true, inside }
  })
  expect(await propose('SEND', entityId)).toMatchObject({ outcome: 'allowed', output: { ok: true, inside: { amount: 1 } } })
  expect(inside).toEqual({ amount: 2 })
  const { rows } = await stack.db.pool('auditor').query("select body::jsonb -> 'output' as output from kiff.ledger where entity_id = $1 and kind = 'executed'", [entityId])
  expect(rows).toEqual([{ output: { ok: true, inside: { amount: 1 } } }])
})

test('a contract whose words quote a megabyte: the answer, which Temporal limits, has their beginning', async () => {
  const entityId = await anAccount()
  const answer = await propose('SEND', entityId, { note: 'x'.repeat(1_000_000) })
  expect(answer).toMatchObject({ outcome: 'allowed', summary: `Send: ${'x'.repeat(994)}…` })
})

test('an action that has no executor, and whose contract has no words for its event, is refused, and recorded so', async () => {
  const entityId = await anAccount()
  expect(await propose('NOTE', entityId, { note: 'throw' })).toMatchObject({ outcome: 'blocked', reason: 'error', message: expect.stringContaining('no words for it') })
  expect(await rowsOf(entityId)).toEqual(['event', 'refused'])
  expect(await propose('NOTE', entityId)).toMatchObject({ outcome: 'allowed' })
})

const renameTransition = (from: string, to: string) =>
  stack.db.pool('owner').query("update kiff.transitions set event_type = $2 where domain = 'mischief' and event_type = $1", [from, to])

test('the rules that its events need were taken away while it ran: it happened, and a person is told', async () => {
  const entityId = await anAccount()
  const [one, two] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  conducts.set(entityId, async () => {
    one.resolve()
    await two.promise
    return ok
  })
  const answer = propose('CALL', entityId)
  await one.promise
  await renameTransition('NOTED', 'ELSE')
  two.resolve()
  expect(await answer).toMatchObject({ reason: 'outcome_unknown', message: expect.stringContaining('the database refused the events') })
  await renameTransition('ELSE', 'NOTED')
  await expectEnd('rejected', entityId, await answer)
})

/** A gate in a process of its own, whose executors bring it down. */
function aGateThat(conduct: string, queue: string): ChildProcess {
  const child = spawn(process.execPath, ['--conditions=kiff-source', new URL('../fixtures/mischief-process.ts', import.meta.url).pathname], {
    env: {
      PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], TEMPORAL_ADDRESS: inject('temporalAddress'), KIFF_GATE_DATABASE_URL: stack.db.urls.gate,
      KIFF_REVIEW_KEYS: JSON.stringify(stack.publicKeys), KIFF_QUEUE: queue, KIFF_CONDUCT: conduct,
    },
    stdio: 'ignore',
  })
  children.push(child)
  return child
}

describe.concurrent('an executor that brings its process down, with another at work', () => {
  test.each([['exits'], ['throws in a timer'], ['forgets a promise that fails'], ['computes for ever']])('%s', async (conduct) => {
    const queue = `gate-${crypto.randomUUID()}`
    const child = aGateThat(conduct, queue)
    const [sent, called] = [await anAccount(), await anAccount()]
    const answers = Promise.all([propose('SEND', sent, { queue, within: '5 seconds' }), propose('CALL', called, { queue, within: '5 seconds' })])
    await eventually(async () => (await rowsOf(sent)).includes('opened') && (await rowsOf(called)).includes('opened'), 60_000)
    if (conduct !== 'computes for ever') await once(child, 'exit')
    await stack.startGate({ queue })
    const [first, second] = await answers
    // The first attempt was in the other process; here the second is the first.
    expect(first).toMatchObject({ outcome: 'allowed' })
    expect(await rowsOf(sent)).toEqual(['event', 'opened', 'resumed', 'executed'])
    expect(second).toMatchObject({ outcome: 'blocked', reason: 'outcome_unknown' })
    expect(await rowsOf(called)).toEqual(['event', 'opened', 'in_doubt', 'refused'])
    expect(keys.get(called)).toBeUndefined()
    expect(await stack.desk.inDoubt()).toContainEqual(expect.objectContaining({ entity_id: called, status: 'in_doubt' }))
  }, 120_000)
})
