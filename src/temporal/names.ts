/** Every name that crosses Temporal, once. Plain strings: the workflow sandbox bundles this file. */

/** The task queue of a domain's gate worker. */
export const gateQueue = (domain: string): string => `kiff.${domain}`

/** One activity type for each contract, so that the Temporal UI's timeline reads as business actions. */
export const actionActivity = (domain: string, action: string): string => `${domain}.${action}`
/** Activities of the gate that are no action; lower case, so that they cannot clash with one. */
export const reportActivity = (domain: string): string => `${domain}.report`
export const withdrawActivity = (domain: string): string => `${domain}.withdraw`
/** Read-only: what would happen, and what could be proposed. */
export const evaluateActivity = (domain: string): string => `${domain}.evaluate`
export const allowedActionsActivity = (domain: string): string => `${domain}.allowedActions`
/** For a name that a model made up and that cannot be an activity type. */
export const unnamed = 'unknown'
export const unnamedActivity = (domain: string): string => `${domain}.${unnamed}`

/** The signal by which the human-facing service delivers a signed review. Its one argument is the compact JWS. */
export const reviewSignal = 'kiff.review'
/** Signals of ours; one that cannot be decoded is dropped before it could wedge the workflow. */
export const signalPrefix = 'kiff.'

/** The header by which a continued run learns its generation and the calls still open. */
export const chainHeader = 'kiff-chain'

/** Typed search attributes. Servers must have them: see `searchAttributeHelp`. */
export const searchAttributes = { status: 'KiffStatus', entity: 'KiffEntity', action: 'KiffAction', pending: 'KiffPendingApprovals' } as const

export const searchAttributeHelp =
  'temporal operator search-attribute create --name KiffStatus --type Keyword --name KiffEntity --type Keyword --name KiffAction --type Keyword --name KiffPendingApprovals --type Int'

/** Types of `ApplicationFailure`, the only faults that cross Temporal. All are retryable but those said not to be. */
export const failures = {
  /** An execution holds the entity; the activity comes again when its lease may be over. */
  entityBusy: 'kiff.EntityBusy',
  /** The executor's end is unknown; the next attempt takes it up by the same key. */
  effectUnknown: 'kiff.EffectUnknown',
  /** What was read kept moving; nothing was written. */
  contended: 'kiff.Contended',
  /** A fact that a contract's rules rest on cannot be read: withheld until it can. */
  factsUnavailable: 'kiff.FactsUnavailable',
  /** A newer contract is registered than this worker has, or this one is not registered: another worker has to take it. */
  contractSuperseded: 'kiff.ContractSuperseded',
  /** The entity's row and its last ledger row disagree: nothing runs until someone has looked. */
  ledgerMismatch: 'kiff.LedgerMismatch',
  /** The step cannot be tied to its run chain (cron, a claimed first run id that is not so). Not retryable. */
  chainUnproven: 'kiff.ChainUnproven',
} as const
