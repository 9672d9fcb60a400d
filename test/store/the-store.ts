/** The store that the conformance tests are run against: the one in memory in project `unit`, the one in Postgres in `servers`. */
import { inject } from 'vitest'
import type { AnyStore } from './any-store.ts'

export { again, aProposal, aStep, blocked, bodyOf, lastRow, leaseOf, nextActivity, noted, noToken, requestOf, type Action, type AnyStore } from './any-store.ts'

declare module 'vitest' {
  interface ProvidedContext {
    store: 'memory' | 'postgres'
  }
}

/** A new one, with the domain `ledgers` and its members. */
export async function theStore(): Promise<AnyStore> {
  if (inject('store') === 'memory') return (await import('./a-memory-store.ts')).aMemoryStore()
  return (await import('./a-store.ts')).aStore()
}
