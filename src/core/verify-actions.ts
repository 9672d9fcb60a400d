/** Verifying an action: it can be taken, where it says, by somebody; and what it emits can happen. */
import type { Contract } from './contract.ts'
import { isStateless } from './entity.ts'
import { finding, type Finding } from './findings.ts'
import type { Roles } from './permission.ts'
import { sources } from './state.ts'
import { rolesWith } from './verify-roles.ts'

/** The order of risks, from the least. */
export const risks: readonly string[] = ['low', 'medium', 'high', 'critical']

export function actionFindings(action: string, contract: Contract, roles: Roles, reachable: ReadonlySet<string> = new Set()): Finding[] {
  const { permission, effect, emits } = contract
  return [
    ...(/^[A-Z][A-Z0-9_]{0,63}$/.test(action) ? [] : [finding('invalid_name', { action }, 'action names are upper case, as REFUND_ORDER')]),
    ...fromFindings(action, contract, reachable),
    ...(rolesWith(permission, roles).length > 0 ? [] : [finding('permission_unheld', { action }, `no role holds ${permission}, so nobody can take it`)]),
    ...riskFindings(action, contract),
    ...emitFindings(action, contract),
    ...(effect === 'none' && emits.length === 0 ? [finding('no_effect', { action }, 'has no effect and emits nothing')] : []),
  ]
}

/** Types see to these two, where there are types. */
function riskFindings(action: string, { risk }: { readonly risk?: string }): Finding[] {
  if (risk === undefined) return [finding('missing_risk', { action }, 'its risk is not said')]
  return risks.includes(risk) ? [] : [finding('invalid_risk', { action }, `there is no risk "${risk}"`)]
}

function fromFindings(action: string, { entity, from, emits }: Contract, reachable: ReadonlySet<string>): Finding[] {
  if (isStateless(entity)) {
    return [
      ...(from === 'any' ? [] : [finding('stateless_entity', { action }, `${entity.name} has no states, so "from" can only be 'any'`)]),
      ...(emits.length === 0 ? [] : [finding('stateless_entity', { action }, `${entity.name} has no events it could emit`)]),
    ]
  }
  const states = from === 'any' ? entity.states : from
  if (states.length === 0) return [finding('no_allowed_states', { action }, '"from" names no state')]
  return [
    ...states.filter((state) => !entity.states.includes(state)).map((state) => finding('undeclared_state', { action, state }, `from undeclared state ${state}`)),
    ...(states.some((state) => reachable.has(state)) ? [] : [finding('dead_action', { action }, `nothing leads to ${states.join(', ')}, where it is allowed`)]),
  ]
}

/** Everything an action emits happens, in the order written: what could not be folded would be found after the effect. */
function emitFindings(action: string, { entity, from, emits }: Contract): Finding[] {
  if (isStateless(entity)) return []
  const undeclared = emits.filter((name) => !Object.hasOwn(entity.events, name))
  if (undeclared.length > 0) return undeclared.map((name) => finding('undeclared_event', { action }, `emits undeclared event ${name}`))
  const findings: Finding[] = []
  for (const start of from === 'any' ? entity.states : from) {
    let state = start
    for (const name of emits) {
      const event = entity.events[name]
      if (event === undefined) break
      if (!sources(event.from).includes(state)) {
        findings.push(finding('impossible_event', { action, state: start }, `allowed in state ${start}, but ${name}, which it emits, cannot happen in ${state}`))
        break
      }
      state = event.to
    }
  }
  return findings
}
