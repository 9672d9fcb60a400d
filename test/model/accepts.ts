/** Whether the model has a path that writes exactly these rows and has these effects. Made deterministic as it goes, and remembered. */
import type { RowKind } from '../../src/core/ledger-row.ts'
import { asTheCodeHasIt, type Rules } from './rules.ts'
import type { Db, Kind } from './state.ts'
import { afterRow, atFirst } from './view.ts'

/** What is known of one proposal, from outside. `traceOf` makes one from ledger rows. */
export interface Trace {
  /**
   * Kinds of the ledger rows about one execution key, by seq, with those of its approvals (the human-facing service's rows name only the
   * approval), and the entity's `event` rows.
   */
  readonly rows: readonly string[]
  /** The provider's keys under which something was done, each once. */
  readonly effects: readonly string[]
}

/** `after`: how many rows were as they can be. */
export type Verdict = { readonly ok: true } | { readonly ok: false; readonly after: number; readonly why: string }

export interface Assumed {
  /** What people say became of an effect is so: two effects are never put down to their error. */
  readonly peopleAreRight?: boolean
}

/** Every kind of action: what it does, and whether a person has to agree. A trace is of one of them. */
const kinds: readonly Kind[] = (['idempotent', 'external', 'none'] as const).flatMap((effect) => [{ effect, asks: false }, { effect, asks: true }])

/** A set of states in which the model can be, and where each row leads from there. */
export interface Node {
  readonly states: readonly { readonly kind: Kind; readonly db: Db }[]
  readonly next: Map<string, Node>
}

interface Automaton {
  readonly rules: Rules
  readonly first: Node
  readonly known: Map<string, Node>
}

const automata = new Map<boolean, Automaton>()

/** Whether the protocol, as the model has it, can have written this. */
export function accepts({ rows, effects }: Trace, assumed: Assumed = {}): Verdict {
  const { first, after } = reading(assumed)
  let node = first
  for (const [index, row] of rows.entries()) {
    node = after(node, row)
    if (node.states.length === 0) return { ok: false, after: index, why: `no ${row} can follow ${index === 0 ? 'nothing' : rows.slice(Math.max(0, index - 8), index).join(', ')}` }
  }
  const paid = ordinalsOf(effects)
  if (paid === null) return { ok: false, after: rows.length, why: `the provider's keys are not those of one execution: ${effects.join(', ')}` }
  if (goesWith(node, paid)) return { ok: true }
  return { ok: false, after: rows.length, why: `these rows do not go with effects of ${paid.size === 0 ? 'no attempt' : `attempt ${[...paid].join(' and ')}`}` }
}

/** The same, row by row. */
export function reading({ peopleAreRight = false }: Assumed = {}): { readonly first: Node; readonly after: (node: Node, row: string) => Node } {
  const automaton = automata.get(peopleAreRight) ?? automatonOf({ ...asTheCodeHasIt, peopleAreRight })
  automata.set(peopleAreRight, automaton)
  return { first: automaton.first, after: (node, row) => follow(automaton, node, row) }
}

/** Whether there may be effects of exactly these attempts by now. */
export function goesWith(node: Node, paid: ReadonlySet<number>): boolean {
  return node.states.some(({ db }) => fits(db, paid))
}

function automatonOf(rules: Rules): Automaton {
  return { rules, first: { states: kinds.map((kind) => ({ kind, db: atFirst })), next: new Map() }, known: new Map() }
}

function follow({ rules, known }: Automaton, node: Node, row: string): Node {
  const before = node.next.get(row)
  if (before !== undefined) return before
  const states = new Map<string, Node['states'][number]>()
  if (isRowKind(row)) {
    for (const { kind, db } of node.states) {
      for (const after of afterRow(db, row, kind, rules)) states.set(`${kind.effect} ${kind.asks} ${JSON.stringify(after)}`, { kind, db: after })
    }
  }
  const key = [...states.keys()].sort().join('\n')
  const next = known.get(key) ?? { states: [...states.values()], next: new Map() }
  known.set(key, next)
  node.next.set(row, next)
  return next
}

/** Every kind of row that there is: the type checker sees to it. */
export const rowKinds = {
  refused: true, approval_requested: true, approval_expired: true, approval_withdrawn: true, approval_denied: true, signal_rejected: true, approval_revoked: true,
  opened: true, resumed: true, executed: true, failed: true, in_doubt: true, completion_rejected: true, repeated: true,
  reconciled: true, reconciliation_refused: true, reconciliation_rejected: true, contradicted: true, reviewed: true, review_refused: true, event: true, event_refused: true,
} as const satisfies Record<RowKind, true>

function isRowKind(row: string): row is RowKind {
  return Object.hasOwn(rowKinds, row)
}

/** The attempts by whose keys something was done, as `providerKey` names them; `null`: not of one execution. */
function ordinalsOf(effects: readonly string[]): ReadonlySet<number> | null {
  const parts = effects.map((key) => /^(.*?)(?:-([2-9]|[1-9]\d+))?$/s.exec(key))
  if (new Set(parts.map((part) => part?.[1])).size > 1) return null
  return new Set(parts.map((part) => Number(part?.[2] ?? 1)))
}

/** The provider's books are open where no row tells of them: done, or not. */
function fits(db: Db, paid: ReadonlySet<number>): boolean {
  const books = db.proposals[0]?.books ?? []
  return [...paid].every((ordinal) => ordinal <= books.length) && books.every(({ effects, refused }, index) => (paid.has(index + 1) ? !refused : effects === 0))
}
