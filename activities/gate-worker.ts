/**
 * The gate worker: the one process that holds the provider's secret and the gate's database login. It serves each party on a
 * task queue of its own, and on that queue only the actors named here (I13).
 */
import { NativeConnection, Worker } from '@temporalio/worker'
import { KiffPlugin } from 'kiff-temporal/worker'
import { createPayments } from './payments.ts'
import { refundExecutors } from './refunds.ts'
import { settings } from './settings.ts'

const set = settings({
  TEMPORAL_ADDRESS: '127.0.0.1:7233',
  TEMPORAL_NAMESPACE: 'default',
  KIFF_GATE_DATABASE_URL: undefined,
  KIFF_REVIEW_KEYS: undefined,
  KIFF_INBOX_URL: '',
  PAYMENTS_URL: undefined,
  PAYMENTS_TOKEN: undefined,
})

const connection = await NativeConnection.connect({ address: set.TEMPORAL_ADDRESS })
const bound = refundExecutors(createPayments({ url: set.PAYMENTS_URL, token: set.PAYMENTS_TOKEN }))

const served = { 'kiff.refunds': ['support-agent-1'], 'kiff.refunds.shop': ['shop'] }
const workers = await Promise.all(
  Object.entries(served).map(([taskQueue, actors]) =>
    Worker.create({
      connection,
      namespace: set.TEMPORAL_NAMESPACE,
      taskQueue,
      plugins: [
        new KiffPlugin({
          gate: {
            bound,
            actors,
            databaseUrl: set.KIFF_GATE_DATABASE_URL,
            reviewKeys: JSON.parse(set.KIFF_REVIEW_KEYS),
            ...(set.KIFF_INBOX_URL === '' ? {} : { inboxUrl: set.KIFF_INBOX_URL }),
          },
        }),
      ],
    }),
  ),
)

const running = Promise.all(workers.map((worker) => worker.run()))
console.log('gate worker ready')
try {
  await running
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
await connection.close()
