/**
 * A gate worker in a process of its own, that falls where it is told. All of this is wrapped around the library: the pool's
 * queries, the executors' requests, an interceptor round each activity. Nothing in the library knows.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { writeFileSync } from 'node:fs'
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { executors, KiffPlugin, NotDone } from 'kiff-temporal/worker'
import { Pool } from 'pg'
import { payments } from './domain.ts'
import type { Fall, LastWords, Point } from './points.ts'

interface UnderWay { readonly order: string; point: string }

const env = (name: string): string => process.env[name] ?? ''
const fall = env('KIFF_FALL') === '' ? undefined : (JSON.parse(env('KIFF_FALL')) as Fall)
const underWay = new Set<UnderWay>()
const current = new AsyncLocalStorage<UnderWay>()
/** Longest wait for enough company. */
const patienceMs = 3_000
let passed = 0
let readySince = 0
let isFalling = false

function falls(here: UnderWay): void {
  if (fall === undefined) return
  const words: LastWords = { fallen: fall, under_way: [here, ...[...underWay].filter((each) => each !== here)] }
  writeFileSync(env('KIFF_LAST_WORDS'), JSON.stringify(words))
  process.kill(process.pid, fall.how)
}

/** Notes how far something has come, and falls if it is here. */
function pass(here: UnderWay, point: Point): void {
  here.point = point
  if (fall?.point !== point) return
  passed += 1
  if (passed < fall.nth || isFalling) return
  readySince ||= performance.now()
  if (underWay.size < (fall.company ?? 0) && performance.now() - readySince < patienceMs) return
  isFalling = true
  if (!point.startsWith('during')) falls(here)
  else if (fall.delayMs === 0) setImmediate(falls, here)
  else setTimeout(falls, fall.delayMs, here)
}

/** What the sweeper does belongs to no activity; its row says what it is about. */
function hereOf(values: readonly unknown[]): UnderWay {
  const inside = current.getStore()
  if (inside !== undefined) return inside
  const [body] = values
  const order: unknown = typeof body === 'string' && body.startsWith('{') ? Reflect.get(Object(JSON.parse(body)), 'entity_id') : undefined
  return { order: typeof order === 'string' ? order : '', point: '' }
}

const query: unknown = Reflect.get(Pool.prototype, 'query')
Pool.prototype.query = async function (this: Pool, ...args: unknown[]): Promise<unknown> {
  const { name, values = [] } = args[0] as { name?: string; values?: readonly unknown[] }
  const send = (): Promise<unknown> => Reflect.apply(query as () => Promise<unknown>, this, args)
  if (!name?.startsWith('kiff.')) return send()
  const at = name.slice('kiff.'.length)
  const here = hereOf(values)
  pass(here, `before ${at}` as Point)
  const sent = send()
  pass(here, `during ${at}` as Point)
  const answer = await sent
  pass(here, `after ${at}` as Point)
  return answer
} as never

const pay = (kind: 'idempotent' | 'external') => async ({ entityId, idempotencyKey, signal }: { entityId: string; idempotencyKey: string; signal: AbortSignal }) => {
  const here = current.getStore() ?? { order: entityId, point: '' }
  pass(here, 'before paying')
  const sent = fetch(`${env('PROVIDER_URL')}/${kind}/${entityId}`, { method: 'POST', headers: { 'idempotency-key': idempotencyKey }, ...(env('KIFF_PATIENT') === '' ? { signal } : {}) })
  pass(here, 'during paying')
  const answer = await sent
  const body = (await answer.json()) as { paymentId: string }
  pass(here, 'after paying')
  if (answer.status === 402) throw new NotDone('declined')
  return body
}

Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } })

const worker = await Worker.create({
  connection: await NativeConnection.connect({ address: env('TEMPORAL_ADDRESS') }),
  taskQueue: env('KIFF_QUEUE'),
  maxConcurrentActivityTaskExecutions: Number(env('KIFF_SLOTS')),
  shutdownGraceTime: '1 second',
  interceptors: {
    activity: [() => ({
      inbound: {
        async execute(input, next) {
          const order: unknown = Reflect.get(Object(input.args[0]), 'entityId')
          const here: UnderWay = { order: typeof order === 'string' ? order : '', point: 'begun' }
          underWay.add(here)
          try {
            return await current.run(here, async () => {
              const answer = await next(input)
              pass(here, 'before telling')
              return answer
            })
          } finally {
            underWay.delete(here)
          }
        },
      },
    })],
  },
  plugins: [new KiffPlugin({ gate: {
    bound: executors(payments, { REFUND: pay('idempotent'), CREDIT: pay('idempotent'), WIRE: pay('external'), SEND: pay('external') }),
    databaseUrl: env('KIFF_GATE_DATABASE_URL'), reviewKeys: JSON.parse(env('KIFF_REVIEW_KEYS')), actors: ['agent-1', 'shop'],
  } })],
})
// Ends with whoever started it.
process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL')).resume()
await worker.run()
