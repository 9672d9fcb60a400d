/** Reading what a contract's rules rest on: from the entity's recorded events, and from the loaders that the gate worker binds. */
import { ApplicationFailure } from '@temporalio/activity'
import { beforeFacts } from '../core/gate.ts'
import type { Facts } from '../core/store.ts'
import { wordsOfThrown } from '../core/thrown.ts'
import { failures } from '../temporal/names.ts'
import { provenAt } from './authority.ts'
import type { BoundDomain } from './binding.ts'
import type { GovernedProposal } from './proposal.ts'

/**
 * The declared facts, parsed and frozen; `{}` for a proposal that is refused without them.
 * @throws ApplicationFailure (retryable) when one cannot be read: withheld, never guessed (I11)
 */
export async function readDeclaredFacts(bound: BoundDomain, proposal: GovernedProposal, facts: Facts, withinMs: number): Promise<Readonly<Record<string, unknown>>> {
  const { contract, action, request, inspection } = proposal
  const declared = Object.entries(contract.facts)
  if (declared.length === 0 || !inspection.ok) return {}
  if (beforeFacts(contract, { action, entityId: request.entityId, actor: request.actor, inspection }, { actorProven: provenAt(proposal.authority, facts.now), state: facts.state, permissions: facts.permissions }) !== null) return {}
  try {
    const past = contract.pastFacts(facts.events)
    const signal = AbortSignal.timeout(Math.max(1, Math.floor(withinMs)))
    const loaded = await Promise.all(
      declared.filter(([, { from }]) => from === 'loader').map(async ([name]) => {
        const load = bound.loaderOf(name)
        if (load === undefined) throw new Error(`no loader is bound for fact ${name}`)
        return [name, await orAborted(load({ entityId: request.entityId, params: inspection.action.params, facts: past, signal }), signal)] as const
      }),
    )
    return contract.factsFrom(facts.events, Object.fromEntries(loaded))
  } catch (error) {
    throw ApplicationFailure.create({ type: failures.factsUnavailable, message: `${action} on ${request.entityId} cannot be judged: ${wordsOfThrown(error)}; nothing was done` })
  }
}

/** A loader that ignores its signal holds nothing up. */
async function orAborted<T>(loading: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('a loader did not answer in time')), { once: true })
  })
  return Promise.race([loading, aborted])
}
