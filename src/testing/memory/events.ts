/** Events: folded by what the registry says, and reported ones. */
import type { Committed, GateStore } from '../../core/store.ts'
import { eventContent, parseBody, type Body, type BodyEvent } from './body.ts'
import { appendAnswer, guardHolds, holderOf, recordedCall, stale } from './guards.ts'
import { append, entityKey, lockChain, recordRef } from './ledger.ts'
import { holds } from './registry.ts'
import { StoreError, type Transaction } from './tables.ts'

/**
 * Folds the events of a row. The registry has the last word on which transitions there are, and on who may cause them: the
 * reporter whom the domain names, or the registered contract that emits them. @throws StoreError 23514, 23505
 */
export function foldEvents(tx: Transaction, chain: number, b: Body, seq: number): void {
  for (const [position, event] of (b.events ?? []).entries()) {
    // Each execution has its own ids, so that none can take those of another.
    if (b.action != null && event.id !== `${b.execution_key}-${position}`) throw new StoreError('23514', `the id ${event.id} is not one of this execution`)
    const reportedBy = foldEvent(tx, chain, b, seq, event)
    const emitted = tx.contracts.get(b.domain, b.action, b.contract)?.emits.includes(event.type) === true
    const mayCause = b.action === null || b.action === undefined ? holds(tx, b.domain, b.actor, reportedBy) : emitted
    if (!mayCause) throw new StoreError('23514', `${event.type} is not for ${b.action ?? b.actor} to cause`)
  }
}

/** Moves the state by one event, whoever causes it. @returns the permission of those who may report it */
function foldEvent(tx: Transaction, chain: number, b: Body, seq: number, event: BodyEvent): string | null {
  const entity = tx.entities.get(chain)
  const from = entity?.state ?? null
  const transition = tx.transitions.get(b.domain, b.entity_type, event.type, from)
  if (transition === undefined || transition.to !== event.to || from !== (event.from ?? null)) {
    throw new StoreError('23514', `event ${event.type} cannot be folded into ${from ?? 'nothing'}`)
  }
  if (typeof event.id !== 'string' || typeof event.type !== 'string') throw new StoreError('23502', 'an event has an id and a type')
  tx.eventIds.insert({ chain, eventId: event.id, eventType: event.type, seq, content: eventContent(event) })
  if (entity !== undefined) tx.entities.put({ ...entity, state: transition.to, version: entity.version + 1 })
  else tx.entities.insert({ chain, domain: b.domain ?? '', entityType: b.entity_type ?? '', entityId: b.entity_id ?? '', state: transition.to, version: 1 })
  return transition.reportedBy
}

export function reportEvent(tx: Transaction, { body, answer, guard }: Parameters<GateStore['reportEvent']>[0]): Committed | { readonly status: 'busy' | 'conflict' } {
  const b = parseBody(body)
  const chain = lockChain(tx, 'entity', entityKey(b))
  const done = recordedCall(tx, b)
  if (done !== null) return done
  const [event, ...more] = b.events ?? []
  if (event === undefined || more.length > 0 || (b.action !== null && b.action !== undefined)) throw new StoreError('P0001', 'one event is reported at a time, and by no action')
  if (/^[0-9a-f]{64}-[0-9]+$/.test(event.id)) throw new StoreError('23514', `the id ${event.id} is one of those that the events of actions have`)
  const known = tx.eventIds.get(chain, event.id)
  if (known !== undefined) {
    return known.content === eventContent(event) ? { status: 'repeat', answer: { ...structuredClone(answer), record: recordRef(tx, chain, known.seq) } } : { status: 'conflict' }
  }
  if (holderOf(tx, chain) !== undefined) return { status: 'busy' }
  if (!guardHolds(tx, chain, b, guard)) return stale
  const committed = appendAnswer(tx, chain, body, b, ['event'], answer)
  foldEvents(tx, chain, b, committed.record.seq)
  return committed
}

/** Puts an event into an entity's past that nobody could report now, such as one that only an action emits. The registry still says where it leads. */
export function recordPast(tx: Transaction, body: string): void {
  const b = parseBody(body)
  const chain = lockChain(tx, 'entity', entityKey(b))
  const { seq } = append(tx, chain, body, ['event'])
  for (const event of b.events ?? []) foldEvent(tx, chain, b, seq, event)
}
