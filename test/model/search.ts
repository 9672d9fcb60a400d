/** Breadth first through every state that can be reached; a state that should not be is told with the shortest way there. */
import { encode } from './encode.ts'
import { brokenBy, isAtRest } from './properties.ts'
import type { Rules } from './rules.ts'
import { stepsOf } from './steps.ts'
import { begin, type Size, type Step, type System } from './system.ts'

export interface Found {
  readonly states: number
  readonly steps: number
  /** Of these states, those in which two effects are a person's error. */
  readonly excused: number
  /** The first property that does not hold, and the shortest way to where it does not; `null`: all hold everywhere. */
  readonly broken: { readonly property: string; readonly way: readonly string[] } | null
}

/** @param upTo give up after so many states @throws Error when there are more */
export function search(size: Size, rules: Rules, upTo = 2_000_000): Found {
  const found = searchBy(size, rules, upTo, true)
  // The way is told without mixing up the two attempts.
  return found.broken === null ? found : searchBy(size, rules, upTo, false)
}

function searchBy(size: Size, rules: Rules, upTo: number, symmetric: boolean): Found {
  const states: System[] = []
  const from: number[] = []
  const by: string[] = []
  const known = new Map<string, number>()
  /** For each state, those from which a step that comes by itself leads to it. */
  const cameFrom: number[][] = []
  let steps = 0
  let excused = 0
  const wayTo = (state: number, last?: string): readonly string[] => {
    const way: string[] = last === undefined ? [] : [last]
    for (let at = state; at > 0; at = from[at] ?? 0) way.unshift(by[at] ?? '')
    return way
  }
  const meet = (system: System, before: number, name: string): number => {
    const key = encode(system, symmetric)
    const seen = known.get(key)
    if (seen !== undefined) return seen
    if (states.length >= upTo) throw new Error(`more than ${upTo} states`)
    known.set(key, states.length)
    from.push(before)
    by.push(name)
    cameFrom.push([])
    return states.push(system) - 1
  }
  meet(begin(size), 0, '')
  for (let at = 0; at < states.length; at++) {
    const system = states[at]
    if (system === undefined) break
    for (const step of stepsOf(system, size, rules)) {
      steps += 1
      const broken = brokenBy(system, step)
      if (broken !== null && broken !== 'a person erred') return { states: states.length, steps, excused, broken: { property: broken, way: wayTo(at, wordsOf(step)) } }
      const next = meet(step.next, at, wordsOf(step))
      if (broken !== null && next === states.length - 1) excused += 1
      if (step.comes && next !== at) cameFrom[next]?.push(at)
    }
  }
  const stuck = firstStuck(states, cameFrom)
  return { states: states.length, steps, excused, broken: stuck === null ? null : { property: 'nothing waits for nobody', way: wayTo(stuck) } }
}

const wordsOf = ({ name, row }: Pick<Step, 'name' | 'row'>): string => (row === null ? name : `${name}  [${row}]`)

/** The first state from which nothing that comes by itself leads to rest. */
function firstStuck(states: readonly System[], cameFrom: readonly (readonly number[])[]): number | null {
  const leads = states.map(isAtRest)
  const todo = [...leads.entries()].filter(([, rests]) => rests).map(([index]) => index)
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    for (const before of cameFrom[at] ?? []) {
      if (leads[before] === true) continue
      leads[before] = true
      todo.push(before)
    }
  }
  const stuck = leads.indexOf(false)
  return stuck < 0 ? null : stuck
}
