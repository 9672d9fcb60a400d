/** The agent worker: workflows and the model's calls. It holds Temporal credentials, no database, no provider's secret. */
import { fileURLToPath } from 'node:url'
import { NativeConnection, Worker } from '@temporalio/worker'
import { KiffPlugin } from 'kiff-temporal/worker'
import { planner } from './planner.ts'
import script from './script.json' with { type: 'json' }
import { scriptedModel } from './scripted-model.ts'
import { settings } from './settings.ts'

const set = settings({ TEMPORAL_ADDRESS: '127.0.0.1:7233', TEMPORAL_NAMESPACE: 'default' })

const connection = await NativeConnection.connect({ address: set.TEMPORAL_ADDRESS })
const worker = await Worker.create({
  connection,
  namespace: set.TEMPORAL_NAMESPACE,
  taskQueue: 'kiff-dev-agents',
  workflowsPath: fileURLToPath(new URL('../workflows/index.ts', import.meta.url)),
  // A script where a model's client would be: `nextTurn` for the tool loop.
  activities: { ...planner, ...scriptedModel(script) },
  plugins: [new KiffPlugin()],
})

const running = worker.run()
console.log('agent worker ready')
try {
  await running
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
await connection.close()
