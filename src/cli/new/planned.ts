/** A domain as it is going to be written down: what the generated files are made from. */
import type { Risk } from '../../core/contract.ts'

export interface Plan {
  readonly domain: string
  /** The constant that it is exported as. */
  readonly constant: string
  readonly entity: string
  readonly states: readonly string[]
  readonly events: Events
  readonly actions: Actions
  /** The permission of those who review; and who say how an action that asks nobody ended, when nobody knows. */
  readonly reviewers: string
  readonly reporters: string
  readonly roles: readonly PlannedRole[]
}

export type Events = readonly PlannedEvent[]
export type Actions = readonly PlannedAction[]

export interface PlannedEvent {
  readonly name: string
  readonly from: readonly string[] | null
  readonly to: string
  /** Those parameters that every action which emits it has. */
  readonly payload: readonly string[]
  /** `null`: an action emits it. */
  readonly reportedBy: string | null
}

export interface PlannedAction {
  readonly name: string
  readonly from: readonly string[]
  readonly params: readonly string[]
  readonly permission: string
  /** The descriptor names none. */
  readonly isPermissionAdded: boolean
  readonly risk: Risk
  readonly approval: { readonly words: string; readonly todo: string } | null
  readonly emits: readonly string[]
}

export interface PlannedRole {
  readonly name: string
  readonly permissions: readonly string[]
  /** What is to be decided about a role that the descriptor does not have; `null` for one that it has. */
  readonly because: string | null
}

/** A file of the new folder. */
export interface GeneratedFile {
  readonly name: string
  readonly text: string
}
