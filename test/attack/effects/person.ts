/**
 * The people: one reviews what is asked, one looks into the provider's books and says what became of what nobody knew. They tell
 * the truth, unless a trial asks for a person who is wrong.
 */
import { startRelay } from '../../../src/approvals/relay.ts'
import type { InDoubt } from '../../../src/approvals/desk.ts'
import { repeat } from '../../../src/temporal/repeat.ts'
import type { Booked } from './books.ts'
import type { Draw } from './random.ts'
import type { World } from './world.ts'

/** What they do about one order. */
export interface Manners {
  /** Left out: mostly they agree, as the draw has it. `silent`: nobody answers. */
  readonly review?: 'granted' | 'denied' | 'silent'
  /** `unusable`: first with an output that no contract takes. `wrong`: first that it did not happen, whatever the books say. */
  readonly reconcile?: 'truthful' | 'unusable' | 'wrong' | 'silent'
}

export interface Person {
  readonly manners: Map<string, Manners>
  /** Those who have been asked about what nobody knew. */
  readonly reconciled: ReadonlyMap<string, readonly ('happened' | 'not_happened')[]>
  readonly stop: () => Promise<void>
}

/** Somebody who looks into the books waits until what was on its way must have arrived. */
const looksAfterMs = 1_500

/** @param options `relay: false`: what they sign is delivered by somebody else */
export function startPerson(world: World, draw: Draw, { relay = true } = {}): Person {
  const manners = new Map<string, Manners>()
  const reconciled = new Map<string, ('happened' | 'not_happened')[]>()
  const seen = new Map<string, number>()
  const relaying = relay ? startRelay({ store: world.reviews, client: world.ground.client, everyMs: 150 }) : undefined

  async function review(): Promise<void> {
    for (const { request, digest } of await world.desk.pending()) {
      const wish = manners.get(request.entity_id)?.review ?? (draw.fork(request.entity_id).chance(0.85) ? 'granted' : 'denied')
      if (wish === 'silent') continue
      await world.desk.review({ approvalId: request.approval_id, digest, verdict: wish, reason: 'drawn', reviewer: 'maria' })
    }
  }

  async function look(): Promise<void> {
    for (const held of await world.desk.inDoubt()) {
      const wish = manners.get(held.entity_id)?.reconcile ?? 'truthful'
      const id = `${held.execution_key}/${held.ordinal}`
      const since = seen.get(id) ?? Date.now()
      seen.set(id, since)
      if (wish === 'silent' || held.waiting || held.status === 'contradicted' || (wish !== 'wrong' && Date.now() - since < looksAfterMs)) continue
      await say(held, wish)
    }
  }

  async function say(held: InDoubt, wish: 'truthful' | 'unusable' | 'wrong'): Promise<void> {
    const { execution_key: executionKey, ordinal, entity_id: order } = held
    const row = await world.desk.showInDoubt(executionKey, ordinal)
    if (row === undefined) return
    const said = reconciled.get(order) ?? []
    const common = { executionKey, ordinal, digest: row.digest, reason: 'as the books say', reviewer: 'rita' }
    const paid = paymentOf(world.ground.books.paid(order), executionKey, ordinal)
    const isFirst = said.length === 0
    const recorded = wish === 'wrong' && isFirst ? await world.desk.reconcile({ ...common, verdict: 'not_happened' })
      : wish === 'unusable' && isFirst ? await world.desk.reconcile({ ...common, verdict: 'happened', output: { nothing: 'of the kind' } })
      : paid === undefined ? await world.desk.reconcile({ ...common, verdict: 'not_happened' })
      : await world.desk.reconcile({ ...common, verdict: 'happened', output: { paymentId: paid.paymentId } })
    if (recorded.outcome === 'recorded') reconciled.set(order, [...said, recorded.verdict])
  }

  const working = repeat(200, async () => {
    await Promise.allSettled([review(), look()])
  })
  return {
    manners, reconciled,
    async stop() {
      await Promise.all([working.stop(), relaying?.stop()])
    },
  }
}

/** The payment on the books under an execution's key for the provider. */
export function paymentOf(booked: readonly Booked[], executionKey: string, ordinal: number): Booked | undefined {
  const key = ordinal === 1 ? executionKey : `${executionKey}-${ordinal}`
  return booked.find((entry) => entry.key === key)
}
