/**
 * The per-step replay check: the workflow code is run again against its history, and each governed step compared, replayed
 * arguments ↔ recorded input ↔ ledger row ↔ result, with the review that allowed it, the chain it stands in, and its entity's state.
 */
import type { DataConverter } from '@temporalio/common'
import type { JSONWebKeySet } from 'jose'
import type { Domain } from '../core/domain.ts'
import type { Pool } from '../postgres/connect.ts'
import { createReconciliationVerifier, createReviewVerifier } from '../temporal/verify-review.ts'
import { verifyIn, type ChainFinding, type ChainFindingKind } from './chain.ts'
import { checkOutcome, checkRecord } from './check-answer.ts'
import { checkChain, checkState } from './check-chain.ts'
import { checkReview } from './check-consent.ts'
import { checkFacts } from './check-facts.ts'
import { checkReconciled } from './check-reconciled.ts'
import { checkInput, checkKey, checkRow } from './check-row.ts'
import { domainOfType, entityOf, toStep, type GovernedStep, type RecordedAnswer } from './governed-step.ts'
import { readHistory, type History, type ReadHistory } from './history.ts'
import { inSnapshot, type Snapshot } from './read-ledger.ts'
import { replay, replayBundle, type BundleSource } from './replay-bundle.ts'
import { loadRunLedger, registeredDomains, type RunLedger } from './run-ledger.ts'
import { contextOf, type StepContext, type Surroundings, type Verdict } from './step-context.ts'

/** In the order in which they are made, and told. */
const checks = {
  input: checkInput,
  row: checkRow,
  key: checkKey,
  facts: checkFacts,
  outcome: checkOutcome,
  record: checkRecord,
  review: (context) => both(checkReview(context), checkReconciled(context)),
  chain: checkChain,
  state: checkState,
} as const satisfies Record<string, (context: StepContext) => Verdict>

export type CheckName = keyof typeof checks
export const checkNames = Object.keys(checks) as readonly CheckName[]

export interface ReplayStep {
  /** From 1, in the order of the history. */
  readonly index: number
  /** The history event that scheduled it. */
  readonly eventId: number
  /** The activity's type. */
  readonly activity: string
  readonly activityId: string
  readonly entity: string | null
  /** The answer's, or how the activity stands: `pending`, `failed`, `completed`. */
  readonly outcome: string
  readonly reason?: string
  readonly record: RecordedAnswer['record'] | null
  /** `null`: there was nothing to compare. */
  readonly checks: Readonly<Record<CheckName, boolean | null>>
  /** The first check that failed, in words. */
  readonly problem?: string
}

export interface ReplayFinding {
  readonly kind: CheckName | 'nondeterminism' | 'step_missing' | ChainFindingKind
  /** The step it was found at, if at one. */
  readonly step: number | null
  readonly message: string
}

export interface ReplayReport {
  readonly ok: boolean
  readonly workflowId: string
  readonly runId: string
  readonly steps: readonly ReplayStep[]
  readonly findings: readonly ReplayFinding[]
  /** Whether the signatures of the reviews that steps rest on were checked; `none`: no step rests on any. */
  readonly signatures: 'checked' | 'not_checked' | 'none'
}

export type ReplayCheckOptions = {
  readonly history: History
  readonly workflowId?: string
  /** Connected as `kiff_auditor`. */
  readonly auditor: Pool
  /** Their rules are applied again: how events fold, and that what ran without an approval needed none. */
  readonly domains?: readonly Domain[]
  /**
   * The public keys of the human-facing service (JWKS, Ed25519), from whoever trusts it, never from the database. Left out, stored
   * signatures are compared with the ledger's hashes and with what came by signal, but not checked; the report says so.
   */
  readonly reviewKeys?: JSONWebKeySet
  /** Where the workflow ran; the rows' own word is taken where it is left out. */
  readonly namespace?: string
  /** As the workflow's workers have it. */
  readonly dataConverter?: DataConverter
  /** Reads the history of an open workflow anew: rows may tell of steps that came after it was read. */
  readonly refetch?: () => Promise<History>
} & ({ readonly bundle: { readonly code: string } } | BundleSource)

/** @throws TypeError for a history, a bundle, or a review key that is none; Error when the workflow code cannot be run */
export async function replayCheck(options: ReplayCheckOptions): Promise<ReplayReport> {
  const bundle = 'bundle' in options ? options.bundle : await replayBundle(options)
  const report = await checkHistory(options, bundle, options.history)
  const grown = report.open && options.refetch !== undefined && report.findings.some(({ kind }) => kind === 'step_missing')
  const { open: _, ...final } = grown ? await checkHistory(options, bundle, await options.refetch()) : report
  return final
}

async function checkHistory(options: ReplayCheckOptions, bundle: { readonly code: string }, raw: History): Promise<ReplayReport & { readonly open: boolean }> {
  const history = await readHistory(raw, options.dataConverter)
  const workflowId = options.workflowId ?? history.workflowId
  if (workflowId === null) throw new TypeError('the history does not name its workflow; give its id')
  const replayed = await replay(bundle, raw, workflowId, options.dataConverter)
  if (replayed.activities.size === 0 && replayed.nondeterminism === null && history.activities.length > 0) {
    throw new TypeError('replay recovered no arguments; make the bundle with replayBundle()')
  }
  const { steps, surroundings } = await inSnapshot(options.auditor, (snapshot) => gather(snapshot, options, { history, workflowId, replayed }))
  const findings = findingsBeside(surroundings)
  const told = steps.map((step, index) => checkStep(contextOf(surroundings, step), index + 1, findings))
  const rests = told.some(({ checks: { review } }) => review !== null)
  const signatures = !rests ? 'none' : surroundings.signatures === null ? 'not_checked' : 'checked'
  return { ok: findings.length === 0, workflowId, runId: history.runId, open: history.open, steps: told, findings, signatures }
}

type Gathered = Pick<Surroundings, 'history' | 'workflowId' | 'replayed'>

async function gather(snapshot: Snapshot, options: ReplayCheckOptions, gathered: Gathered): Promise<{ readonly steps: readonly GovernedStep[]; readonly surroundings: Surroundings }> {
  const { history } = gathered
  const domains = options.domains ?? []
  const names = [...new Set([...(await registeredDomains(snapshot)), ...domains.map(({ name }) => name)])]
  const runIds = [...new Set([history.runId, ...history.activities.flatMap((activity) => activity.runIds)])]
  const named = history.activities.flatMap((activity) => {
    const domain = domainOfType(activity.type, names)
    return domain === undefined ? [] : [toStep(activity, domain)]
  })
  const ledger = await loadRunLedger(snapshot, runIds, named.flatMap(({ answer }) => answer?.record ?? []))
  // A gate records whatever activity reaches it, of any name.
  const others = history.activities.flatMap((activity) => {
    if (named.some((step) => step.activity === activity)) return []
    const row = ledger.rows.find(({ body }) => body.activity_id === activity.activityId && activity.runIds.includes(body.run_id ?? ''))
    return row === undefined ? [] : [toStep(activity, row.body.domain)]
  })
  const steps = [...named, ...others].sort((a, b) => a.activity.eventId - b.activity.eventId)
  const chains = new Set([...ledger.rows.map(({ chain }) => chain), ...steps.flatMap(({ answer }) => answer?.record.chain ?? [])])
  const { findings: chainFindings } = await verifyIn(snapshot, { domains, keys: [...chains] })
  const namespace = options.namespace ?? ledger.rows[0]?.body.namespace ?? ''
  const signatures = options.reviewKeys === undefined ? null : await genuine(ledger, options.reviewKeys)
  return { steps, surroundings: { ...gathered, namespace, domains, ledger, chainFindings, signatures } }
}

/** Two verdicts as one: what is wrong first, and nothing to compare only where neither has. */
function both(first: Verdict, second: Verdict): Verdict {
  if (typeof first === 'string') return first
  return typeof second === 'string' || first === undefined ? second : first
}

/** Each signed review, and reconciliation, of these runs, and whether it is by one of the keys. */
async function genuine({ approvals, reconciliations }: RunLedger, keys: JSONWebKeySet): Promise<ReadonlyMap<string, boolean>> {
  const verify = createReviewVerifier(keys)
  const verifyReconciliation = createReconciliationVerifier(keys)
  const signed = approvals.flatMap(({ reviews }) => reviews.map(({ jws }) => [jws, verify] as const))
  const all = [...signed, ...reconciliations.map(({ jws }) => [jws, verifyReconciliation] as const)]
  return new Map(await Promise.all(all.map(async ([jws, check]) => [jws, (await check(jws)) !== null] as const)))
}

/** What is wrong beside any step: the code itself, the chains, and rows that no step of the history accounts for. */
function findingsBeside({ history, replayed, ledger, chainFindings }: Surroundings): ReplayFinding[] {
  const { nondeterminism } = replayed
  return [
    ...(nondeterminism === null ? [] : [{ kind: 'nondeterminism' as const, step: null, message: `the workflow code does not fit its history${nondeterminism.eventId === null ? '' : ` at event ${nondeterminism.eventId}`}: ${nondeterminism.message}` }]),
    ...strayRows(history, ledger),
    ...chainFindings.map(({ chain, seq, kind, message }: ChainFinding) => ({ kind, step: null, message: `row ${chain}#${seq}: ${message}` })),
  ]
}

function strayRows(history: ReadHistory, ledger: RunLedger): ReplayFinding[] {
  const known = new Set(history.activities.map(({ activityId }) => activityId))
  return ledger.rows
    .filter(({ body }) => body.run_id === history.runId && !known.has(body.activity_id ?? ''))
    .map(({ chain, seq, body }) => ({ kind: 'step_missing', step: null, message: `row ${chain}#${seq} (${body.kind} ${body.action ?? 'event'}) names activity ${body.activity_id}, which the history does not have` }))
}

function checkStep(context: StepContext, index: number, findings: ReplayFinding[]): ReplayStep {
  const { activity, answer } = context.step
  const verdicts = checkNames.map((name) => [name, checks[name](context)] as const)
  const problems = verdicts.flatMap(([kind, verdict]) => (typeof verdict === 'string' ? [{ kind, step: index, message: verdict }] : []))
  // The chains' own findings are told once, beside the steps.
  findings.push(...problems.filter(({ kind }) => kind !== 'chain' && kind !== 'state'))
  const outcome = answer?.outcome ?? activity.end?.status ?? 'pending'
  return {
    index,
    eventId: activity.eventId,
    activity: activity.type,
    activityId: activity.activityId,
    entity: entityOf(context.step),
    outcome,
    ...(answer?.reason === undefined ? {} : { reason: answer.reason }),
    record: answer?.record ?? null,
    checks: Object.fromEntries(verdicts.map(([name, verdict]) => [name, verdict === undefined ? null : verdict === null])) as Record<CheckName, boolean | null>,
    ...(problems[0] === undefined ? {} : { problem: problems[0].message }),
  }
}
