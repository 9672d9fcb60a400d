/** Whether every ledger that the model can write is one that it accepts: both are walked through together. */
import { goesWith, reading, type Node } from './accepts.ts'
import { encode } from './encode.ts'
import type { Rules } from './rules.ts'
import { stepsOf } from './steps.ts'
import { begin, type Size, type System } from './system.ts'

export interface Walked {
  readonly pairs: number
  /** The rows of a ledger that is not accepted; `null`: there is none. */
  readonly refused: readonly string[] | null
}

interface Pair {
  readonly system: System
  readonly node: Node
  readonly rows: readonly string[]
}

/** @param size of one proposal: rows about others are in no trace */
export function walk(size: Size & { readonly proposals: 1 }, rules: Rules): Walked {
  const { first, after } = reading()
  const numbers = new Map<Node, number>()
  const known = new Set<string>()
  const todo: Pair[] = []
  const meet = (pair: Pair): void => {
    const number = numbers.get(pair.node) ?? numbers.size
    numbers.set(pair.node, number)
    const key = `${number} ${encode(pair.system, true)}`
    if (known.has(key)) return
    known.add(key)
    todo.push(pair)
  }
  meet({ system: begin(size), node: first, rows: [] })
  for (let at = 0; at < todo.length; at++) {
    const pair = todo[at]
    if (pair === undefined) break
    if (!goesWith(pair.node, paidIn(pair.system))) return { pairs: known.size, refused: pair.rows }
    for (const { row, next } of stepsOf(pair.system, size, rules)) {
      const node = row === null ? pair.node : after(pair.node, row)
      const rows = row === null ? pair.rows : [...pair.rows, row]
      if (node.states.length === 0) return { pairs: known.size, refused: rows }
      meet({ system: next, node, rows })
    }
  }
  return { pairs: known.size, refused: null }
}

function paidIn({ db }: System): ReadonlySet<number> {
  return new Set((db.proposals[0]?.books ?? []).flatMap(({ effects }, index) => (effects > 0 ? [index + 1] : [])))
}
