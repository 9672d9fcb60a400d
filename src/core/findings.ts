/** What verifying a domain can find: one table of codes, each with its severity, what it means, and what to do. */

export type Severity = 'error' | 'warning'

/** `error`: `defineDomain` refuses the domain when it is loaded. `warning`: it is loaded, and `verify` tells of it. */
export const FINDINGS = {
  not_a_domain: { severity: 'error', meaning: 'the module exports no domain', fix: 'export what `defineDomain` returns' },
  no_actions: { severity: 'error', meaning: 'the domain has no action', fix: 'declare at least one' },
  invalid_name: { severity: 'error', meaning: 'a name is not in its form', fix: 'domains: lower case, digits, dashes; entities: PascalCase; actions: UPPER_CASE' },
  no_transitions: { severity: 'error', meaning: 'an entity has states, but no event', fix: 'declare the events that move it, or leave its states out' },
  no_bootstrap: { severity: 'error', meaning: 'no event makes the entity: none is `from: null`', fix: 'declare the event by which it comes to exist' },
  unreachable_state: { severity: 'error', meaning: 'no chain of events leads to a state', fix: 'declare the event that leads there, or remove the state' },
  undeclared_state: { severity: 'error', meaning: 'an event or an action names a state that the entity does not declare', fix: 'declare the state, or correct its name' },
  undeclared_event: { severity: 'error', meaning: 'an action emits an event that its entity does not declare', fix: 'declare the event, or correct its name' },
  dead_event: { severity: 'error', meaning: 'an event can happen in no state', fix: 'say in `from` where it can, or remove it' },
  uncaused_event: { severity: 'error', meaning: 'nobody may report an event, and no action emits it', fix: 'name its reporters in `reportedBy`, emit it, or remove it' },
  ambiguous_event: { severity: 'error', meaning: 'two entities declare an event of the same name', fix: 'rename one: a reported event must name one entity' },
  duplicate_entity: { severity: 'error', meaning: 'two different entities have one name', fix: 'declare it once and share it' },
  stateless_entity: { severity: 'error', meaning: 'an action treats an entity without states as if it had some', fix: 'say `from: \'any\'` and emit nothing, or declare states and events' },
  no_allowed_states: { severity: 'error', meaning: 'an action is allowed in no state', fix: 'say in `from` where it is' },
  impossible_event: { severity: 'error', meaning: 'an action emits what cannot happen where the action is allowed', fix: 'narrow the action\'s `from`, or widen the event\'s: it would be found only after the effect' },
  no_effect: { severity: 'error', meaning: 'an action has no effect and emits nothing', fix: 'declare its effect, or what it emits' },
  permission_unheld: { severity: 'error', meaning: 'no role holds a permission that an action or a reporter needs', fix: 'give it to a role' },
  missing_risk: { severity: 'error', meaning: 'an action does not say its risk', fix: 'say low, medium, high or critical' },
  invalid_risk: { severity: 'error', meaning: 'an action\'s risk is none of the four', fix: 'say low, medium, high or critical' },
  high_risk_unapproved: { severity: 'error', meaning: 'high or critical risk without an approval rule', fix: 'add `approval`, or say in `unapprovedBecause` why none is needed' },
  approval_unreachable: { severity: 'error', meaning: 'an approval that nobody can give: no role holds the reviewers\' permission', fix: 'give it to a role' },
  low_risk_twin: { severity: 'error', meaning: 'an action does as much as a guarded one (same events, numbers as large) behind a looser gate', fix: 'make them one action whose `approval.when` draws the line, lower its maximum, or say in `unapprovedBecause` why it may' },
  unbounded_amount: { severity: 'error', meaning: 'a number of any size, on an action with an effect outside or of medium risk and above', fix: 'give it a maximum' },
  asserted_fact: { severity: 'error', meaning: 'a rule relies on a parameter that the agent merely asserts', fix: 'declare it in `facts`, so that the gate reads it, or say in `asserted` where it really comes from' },
  executor_missing: { severity: 'error', meaning: 'an action with an effect has no executor', fix: 'bind one with `executors`' },
  executor_stub: { severity: 'error', meaning: 'an executor\'s text contains TODO', fix: 'write it' },
  dead_action: { severity: 'warning', meaning: 'an action is allowed only in states that cannot be reached', fix: 'reach one of them, or remove the action' },
  possible_twin: { severity: 'warning', meaning: 'an action emits what a guarded one does behind a looser gate; it may do less', fix: 'make them one action whose `approval.when` draws the line, or say in `unapprovedBecause` why it may' },
  laundered_claim: { severity: 'warning', meaning: 'a rule relies on a fact from events that an action writes from what the agent merely asserts', fix: 'have it reported by a party of its own, load it, or say in that action\'s `asserted` where it really comes from' },
  reviewer_is_requester: { severity: 'warning', meaning: 'every role that may approve may ask as well', fix: 'give the reviewers\' permission to a role that cannot ask: whoever asks never counts' },
  nobody_reconciles: { severity: 'warning', meaning: 'an action with an effect outside whose unknown outcome nobody may settle', fix: 'name in `reconciledBy` the permission of those who may, and give it to a role: what is in doubt holds its entity until then' },
  consent_binds_nothing: { severity: 'warning', meaning: 'consent binds only the entity\'s state, and no declared facts', fix: 'bind its version, or declare the facts that consent rests on' },
  from_any_without_facts: { severity: 'warning', meaning: 'an action on an entity without states that declares no facts and does not always ask', fix: 'declare facts, or ask always: its rules have only the agent\'s words' },
  fact_unused: { severity: 'warning', meaning: 'a declared fact that nothing reads', fix: 'use it in a rule, or remove it: a change of it voids consent' },
  unbounded_text: { severity: 'warning', meaning: 'a text of any length, on an action with an effect outside or of medium risk and above', fix: 'give it a maximum length' },
  unbounded_list: { severity: 'warning', meaning: 'a list of any length, on an action with an effect outside or of medium risk and above', fix: 'give it a maximum length: bounded amounts add up' },
  role_without_permission: { severity: 'warning', meaning: 'a role holds no permission', fix: 'give it one, or remove it' },
  permission_unused: { severity: 'warning', meaning: 'a role holds a permission that nothing needs', fix: 'remove it, or correct its name' },
} as const satisfies Readonly<Record<string, { readonly severity: Severity; readonly meaning: string; readonly fix: string }>>

export type FindingCode = keyof typeof FINDINGS

/** KIFF's codes that are none of ours: what stands for them, or why they can't occur. */
export const KIFF_FINDINGS: Readonly<Record<string, string>> = {
  missing_approval: 'an action without `approval` never asks; where its risk is high or critical, that is `high_risk_unapproved`',
  invalid_approval: '`Order.action` throws for an approval without a rule, a quorum or a duration that is none; `verify` tells it as a module that could not be loaded',
  no_contract: 'there is one table, not two: an action\'s contract itself says in `from` where it is allowed',
}

export interface Finding {
  readonly severity: Severity
  readonly code: FindingCode
  readonly action: string | null
  readonly entity: string | null
  readonly state: string | null
  /** What is wrong, and what to do. */
  readonly message: string
}

/** Where a finding is. */
export type Place = Partial<Pick<Finding, 'action' | 'entity' | 'state'>>

/** A finding of this code: `wrong` says what is wrong here; what to do is the code's. */
export function finding(code: FindingCode, place: Place, wrong: string): Finding {
  const { severity, fix } = FINDINGS[code]
  return { severity, code, action: null, entity: null, state: null, ...place, message: `${wrong}; ${fix}` }
}

export const isError = ({ severity }: Finding): boolean => severity === 'error'

/** A domain that has errors. `message` names each; `findings` has the warnings too. */
export class DomainError extends TypeError {
  readonly domain: string
  readonly findings: readonly Finding[]
  constructor(domain: string, findings: readonly Finding[]) {
    const lines = findings.filter(isError).map(({ action, entity, code, message }) => `  - ${placeOf(action ?? entity)}${message} (${code})`)
    super(`domain ${domain}:\n${lines.join('\n')}`)
    this.name = 'DomainError'
    this.domain = domain
    this.findings = findings
  }
}

const placeOf = (name: string | null): string => (name === null ? '' : `${name}: `)
