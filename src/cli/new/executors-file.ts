/** `executors.ts`: an executor for each action with an effect. None is written: each says that nothing was done, so nothing seems to work. */
import { importing, key, literal } from './literal.ts'

export function executorsFile(constant: string, actions: readonly string[]): string {
  return `/** What the actions do. Only the gate worker loads this file: the secrets of whom it calls are nowhere else. */
${importing('{ executors, NotDone }', 'kiff-temporal/worker')}
${importing(`{ ${constant} }`, './domain.ts')}

// An executor is given { entityId, params, facts, idempotencyKey, signal }. It throws NotDone only where it knows that nothing was done;
// of any other error nobody knows how it ended. The receiver must do it at most once for each idempotencyKey.
export const bound = executors(${constant}, {
${actions.map((name) => `  async ${key(name)}() {
    throw new NotDone(${literal(`TODO: nothing carries out ${name} yet`)})
  },`).join('\n')}
})
`
}
