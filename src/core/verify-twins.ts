/** Verifying that no action does what a guarded one does behind a looser gate. */
import type { Contract } from './contract.ts'
import { finding, type Finding } from './findings.ts'
import { risks } from './verify-actions.ts'
import { isSaid } from './verify-approvals.ts'
import { rolesWith } from './verify-roles.ts'
import { placesOf } from './verify-schema.ts'
import type { DomainSpec } from './verify.ts'

/**
 * Whether `name` is the twin of guarded actions (they ask, or their risk is high): others on the same entity whose events it emits, all of
 * them, from a state they share, behind a looser gate, and for a role that may take both. An error where they share a number and its own
 * maxima are no lower; where it may do less, or nothing can be compared, a warning. `unapprovedBecause` answers both.
 */
export function twinFindings(name: string, twin: Contract, { actions, roles }: DomainSpec): Finding[] {
  if (isSaid(twin.unapprovedBecause)) return []
  const takers = rolesWith(twin.permission, roles)
  const guarded = Object.entries(actions).filter(([other, contract]) => other !== name && isTwin(twin, contract) && rolesWith(contract.permission, roles).some((role) => takers.includes(role)))
  const [same, similar] = [guarded.filter(([, contract]) => doesAsMuch(twin, contract)), guarded.filter(([, contract]) => !doesAsMuch(twin, contract))]
  const told = (others: typeof guarded): string => others.map(([other, contract]) => `${other} emits (${contract.emits.join(', ')}), ${looseness(twin, contract)}`).join('; and what ')
  return [
    ...(same.length === 0 ? [] : [finding('low_risk_twin', { action: name }, `it emits what ${told(same)}`)]),
    ...(similar.length === 0 ? [] : [finding('possible_twin', { action: name }, `it emits what ${told(similar)}`)]),
  ]
}

function isTwin(twin: Contract, guarded: Contract): boolean {
  return guarded.emits.length > 0 && guarded.emits.every((event) => twin.emits.includes(event)) // so it is the same entity
    && statesOf(twin).some((state) => statesOf(guarded).includes(state))
    && looseness(twin, guarded) !== undefined
}

const statesOf = ({ from, entity }: Contract): readonly string[] => (from === 'any' ? entity.states : from)

/** In words, how the gate of `twin` is looser than the other's; `undefined` when it is not. */
function looseness(twin: Contract, guarded: Contract): string | undefined {
  if (asks(twin) < asks(guarded)) return `but ${twin.approval === null ? 'asks nobody' : 'does not always ask'}`
  if (twin.approval !== null && guarded.approval !== null && twin.approval.quorum < guarded.approval.quorum) return `but asks ${twin.approval.quorum} of ${guarded.approval.quorum} people`
  const isGuardedByItsRiskAlone = twin.approval === null && guarded.approval === null && riskOf(guarded) >= risks.indexOf('high')
  return isGuardedByItsRiskAlone && riskOf(twin) < riskOf(guarded) ? `but calls its risk ${twin.risk}` : undefined
}

/** 0: never; 1: by its rule; 2: always. */
const asks = ({ approval }: Contract): number => (approval === null ? 0 : approval.always === null ? 1 : 2)

const riskOf = ({ risk }: Contract): number => risks.indexOf(risk)

/** They have numbers in common, and none of the twin's has a lower maximum. */
function doesAsMuch(twin: Contract, guarded: Contract): boolean {
  const [its, others] = [maxima(twin), maxima(guarded)]
  const shared = [...others].flatMap(([path, max]) => (its.has(path) ? [{ its: its.get(path) ?? Infinity, max }] : []))
  return shared.length > 0 && shared.every((each) => each.its >= each.max)
}

/** The largest number at each place; without a bound, infinity. */
function maxima({ paramsSchema }: Contract): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (const { path, shape } of placesOf(paramsSchema)) {
    if (shape.kind === 'number') found.set(path, Math.max(found.get(path) ?? -Infinity, shape.max ?? Infinity))
  }
  return found
}
