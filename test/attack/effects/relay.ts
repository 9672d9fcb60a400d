/** A relay in a process of its own, which dies where `KIFF_FALL` says: around what it calls in the database, so also between send and mark. */
import { writeFileSync } from 'node:fs'
import { Client, Connection } from '@temporalio/client'
import { Pool } from 'pg'
import { startRelay } from '../../../src/approvals/relay.ts'
import { openPool } from '../../../src/postgres/connect.ts'
import { createReviewStore } from '../../../src/postgres/review-store.ts'

const env = (name: string): string => process.env[name] ?? ''
const [when = '', where = '', nth = '1'] = env('KIFF_FALL').split(' ')
let passed = 0

function pass(here: string, values: readonly unknown[] = []): void {
  if (here !== `${when} ${where}`) return
  passed += 1
  if (passed !== Number(nth)) return
  writeFileSync(env('KIFF_LAST_WORDS'), JSON.stringify(values[0] ?? ''))
  process.kill(process.pid, 'SIGKILL')
}

const query: unknown = Reflect.get(Pool.prototype, 'query')
Pool.prototype.query = async function (this: Pool, ...args: unknown[]): Promise<unknown> {
  const { name = '', values } = args[0] as { name?: string; values?: readonly unknown[] }
  const at = name.replace('kiff.', '')
  pass(`before ${at}`, values)
  const sent = Reflect.apply(query as () => Promise<unknown>, this, args)
  setImmediate(pass, `during ${at}`, values)
  const answer = await sent
  pass(`after ${at}`, values)
  return answer
} as never

const client = new Client({ connection: await Connection.connect({ address: env('TEMPORAL_ADDRESS') }) })
startRelay({ store: createReviewStore(openPool(env('KIFF_REVIEWER_DATABASE_URL'), { name: 'relay' })), client, everyMs: 100 })
process.stdin.on('end', () => process.exit(0)).resume()
