/** Answers to questions: what the gate would say, and what could be proposed. */
import type { NextStep, Outcome, Reason } from './outcome.ts'

/** What the gate would answer. `allowed` means: allowed as things stand; it is judged anew when it is proposed. */
export interface Evaluation {
  readonly outcome: Outcome
  readonly reason: Reason | null
  readonly message: string
  readonly nextStep: NextStep | null
  /** What would happen, in the contract's words; `null` where it did not come to that. */
  readonly summary: string | null
  readonly state: string | null
  readonly stateVersion: number
}

/** An action that could be proposed in the entity's state by someone with the actor's roles. Parameters may still refuse it. */
export interface AllowedAction {
  readonly action: string
  readonly description: string
  readonly risk: string
  /** JSON Schema. */
  readonly params: unknown
  /** `always`, by its contract; `by_rule`, by its rule; `never`. */
  readonly approval: 'always' | 'by_rule' | 'never'
}
