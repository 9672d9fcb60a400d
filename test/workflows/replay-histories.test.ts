/** Histories of every release, replayed by the code as it is now: what `governed()` commands, and with which input, may not change. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js'
import { DefaultLogger, Runtime } from '@temporalio/worker'
import { beforeAll, describe, expect, test } from 'vitest'
import { asJson } from '../../src/evidence/difference.ts'
import { domainOfType } from '../../src/evidence/governed-step.ts'
import { parseHistory, readHistory, type History } from '../../src/evidence/history.ts'
import { replay, replayBundle } from '../../src/evidence/replay-bundle.ts'
import { edited, governedEvents } from '../evidence/tamper.ts'

const folder = join(import.meta.dirname, '../histories')
const recorded = globSync('*/*.json', { cwd: folder }).sort()
let bundle: { code: string }

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => {}), telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } })
  bundle = await replayBundle({ workflowsPath: new URL('../fixtures/workflows/index.ts', import.meta.url).pathname })
})

const historyOf = (name: string): History => parseHistory(readFileSync(join(folder, name), 'utf8'))

test('there is one of each kind, among them one that still waits for an approval', () => {
  const kinds = ['allowed', 'granted', 'still-waiting', 'denied', 'cancelled']
  expect(recorded).toEqual(expect.arrayContaining(kinds.map((kind) => `0.1.0/${kind}.json`)))
})

describe('the workflow code replays', () => {
  test.each(recorded)('%s', async (name) => {
    const history = historyOf(name)
    const { nondeterminism, activities } = await replay(bundle, history, 'recorded')
    expect(nondeterminism).toBeNull()
    const governed = (await readHistory(history)).activities.filter(({ type }) => domainOfType(type, ['refunds']))
    expect(governed.length).toBeGreaterThan(0)
    for (const { activityId, type, input } of governed) expect(activities.get(activityId)).toEqual({ type, args: asJson(input) })
  })
})

describe('a careless change is noticed', () => {
  let changed: { code: string }
  beforeAll(async () => {
    changed = await replayBundle({ workflowsPath: new URL('../fixtures/changed-workflows/index.ts', import.meta.url).pathname })
  })

  test.each(['granted', 'still-waiting'])('of commands: %s', async (kind) => {
    expect((await replay(changed, historyOf(`0.1.0/${kind}.json`), 'recorded')).nondeterminism).not.toBeNull()
  })

  test('of an activity\'s name', async () => {
    const renamed = edited(historyOf('0.1.0/granted.json'), (json) => {
      const [first] = governedEvents(json)
      if (first) first.activityType.name = 'refunds.PAY_BACK'
    })
    expect((await replay(bundle, renamed, 'recorded')).nondeterminism).toMatchObject({ message: expect.stringContaining('refunds.PAY_BACK') })
  })

  test('of arguments, which replay alone accepts', async () => {
    const { nondeterminism, activities } = await replay(changed, historyOf('0.1.0/two-at-once.json'), 'recorded')
    expect(nondeterminism).toBeNull()
    expect(activities.get('1')?.args).not.toEqual((await readHistory(historyOf('0.1.0/two-at-once.json'))).activities[0]?.input)
  })
})

test('histories can be read from JSON in this install: there is one protobufjs', () => {
  const event = { eventId: '1', eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_STARTED', workflowExecutionStartedEventAttributes: { workflowType: { name: 'x' } } }
  expect(historyFromJSON({ events: [event] }).events).toHaveLength(1)
})
