/** Ways through a described domain: how an entity comes into a state, and one that goes as far as it can. For the generated test. */
import type { Plan, PlannedAction, PlannedEvent } from './planned.ts'

/** A shortest chain of events from nothing to this state. */
export function pathTo({ events }: Pick<Plan, 'events'>, state: string): readonly PlannedEvent[] {
  const paths = new Map<string, readonly PlannedEvent[]>()
  for (const event of events) if (event.from === null && !paths.has(event.to)) paths.set(event.to, [event])
  for (const [reached, path] of paths) { // grows while it is walked: nearest first
    for (const event of events) if (event.from?.includes(reached) && !paths.has(event.to)) paths.set(event.to, [...path, event])
  }
  return paths.get(state) ?? []
}

/** The state in which an action leaves an entity. */
export function stateAfter({ events }: Pick<Plan, 'events'>, { emits }: PlannedAction, state: string): string {
  return emits.reduce((before, name) => events.find((event) => event.name === name)?.to ?? before, state)
}

export type HappyStep = { readonly event: PlannedEvent } | { readonly action: PlannedAction }

/** From nothing, as far as it goes without coming back: the first action that leads on, or the first event that is reported. */
export function happyPath(plan: Plan): { readonly steps: readonly HappyStep[]; readonly end: string } {
  const steps: HappyStep[] = []
  const seen = new Set<string>()
  const first = plan.events.find(({ from }) => from === null)
  let state = first?.to ?? ''
  if (first !== undefined) steps.push({ event: first })
  for (;;) {
    seen.add(state)
    const here = state
    const action = plan.actions.find((each) => each.from.includes(here) && !seen.has(stateAfter(plan, each, here)))
    const event = plan.events.find(({ from, to, reportedBy }) => reportedBy !== null && from?.includes(here) && !seen.has(to))
    if (action === undefined && event === undefined) return { steps, end: state }
    if (action !== undefined) {
      steps.push({ action })
      state = stateAfter(plan, action, here)
    } else if (event !== undefined) {
      steps.push({ event })
      state = event.to
    }
  }
}
