/** KIFF's rebuild check of one entity: the state that is kept for it, beside the one that its recorded events alone lead to. */
import type { Domain } from '../core/domain.ts'
import type { EntityState } from '../core/state.ts'
import { parseBody } from './ledger-body.ts'
import { readLedger, type Snapshot } from './read-ledger.ts'
import { foldRecorded } from './rebuild.ts'

export interface StateCheck {
  /** The state by which the gate judges; `null`: none is kept. */
  readonly kept: EntityState | null
  /** The state that the events lead to; `null`: there are none. */
  readonly rebuilt: EntityState | null
  readonly events: number
  /** What is wrong with an event, or with a row that may hold some. */
  readonly problems: readonly string[]
  /** Both are the same, and nothing is wrong with any event. */
  readonly matches: boolean
}

/**
 * Rebuilds one entity, in memory; nothing is written. With its domain's rules, every event must fold by them as well.
 * @param key as `refunds/Order/order-2`
 */
export async function checkEntityState(snapshot: Snapshot, key: string, domains: readonly Domain[]): Promise<StateCheck> {
  const [name, type = ''] = key.split('/')
  const entities = domains.find((domain) => domain.name === name)?.entities ?? {}
  const entity = Object.hasOwn(entities, type) ? entities[type] : undefined
  const problems: string[] = []
  let kept: EntityState | null = null
  let rebuilt: EntityState | null = null
  let events = 0
  for await (const item of readLedger(snapshot, [key])) {
    if ('head' in item) {
      if (item.head.entity?.key === key) kept = { value: item.head.entity.state, version: item.head.entity.version }
      continue
    }
    const parsed = parseBody(item.row.body)
    if ('problem' in parsed) {
      problems.push(`row ${item.row.seq} cannot be read: ${parsed.problem}`)
      continue
    }
    for (const event of parsed.body.events ?? []) {
      const folded = foldRecorded(entity, rebuilt, event)
      if (folded.problem !== null) problems.push(`row ${item.row.seq}: ${folded.problem}`)
      rebuilt = folded.state
      events += 1
    }
  }
  const same = kept?.value === rebuilt?.value && kept?.version === rebuilt?.version
  return { kept, rebuilt, events, problems, matches: same && problems.length === 0 }
}
