/** Where a case ends. */
import type { Scene } from 'kiff-temporal/testing'
import { expect } from 'vitest'
import { textIn } from '../../../src/core/audit-record.ts'
import type { Domain } from '../../../src/core/domain.ts'

/** It is in this state, its recorded changes alone lead there, each from where the one before ended, and these were its effects. */
export function expectEnd<D extends Domain>(scene: Scene<D>, entity: keyof D['entities'] & string, id: string, state: string, effects: readonly (keyof D['actions'] & string)[]): void {
  const changes = scene.timeline(id).filter(({ kind }) => kind === 'state_changed')
  const rebuilt = changes.reduce<string | null>((before, change) => {
    expect(textIn(change, 'from')).toBe(before)
    return textIn(change, 'to')
  }, null)
  const begun = scene.effects.filter(({ entityId }) => entityId === id).map(({ action }) => action)
  expect({ state: scene.state(entity, id), rebuilt, effects: begun }).toEqual({ state, rebuilt: state, effects })
}

/** How many events it has: KIFF's tables count them. */
export const eventsOf = <D extends Domain>(scene: Scene<D>, id: string): number => scene.timeline(id).filter(({ kind }) => kind === 'event_ingested').length
