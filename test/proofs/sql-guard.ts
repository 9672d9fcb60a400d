/** Entries for guards in SQL, a line or two each: where they stand, and the tests that name most of them. */
import type { Guard, SecondLine } from './guard.ts'

const conformance = (name: string): string => `test/store/conformance/${name}.test.ts`

/** Test files by the names that the tables use. */
export const tests = {
  approvals: conformance('approvals'), attempts: conformance('attempts'), applied: conformance('applied-reconciliations'), bound: conformance('bound'), chain: conformance('chain'), commits: conformance('commits'), events: conformance('events'),
  executions: conformance('executions'), facts: conformance('facts'), gateReconciliations: conformance('gate-reconciliations'), otherDomains: conformance('other-domains'), permits: conformance('permits'), quorum: conformance('quorum'), reconciliations: conformance('reconciliations'),
  registry: conformance('registry'), reviews: conformance('reviews'), rounds: conformance('rounds'), rows: conformance('rows'), sweeper: conformance('sweeper'), unasked: conformance('gate-unasked'),
  constraints: 'test/store/constraints.test.ts', intact: 'test/store/chain.test.ts', lastGuards: 'test/store/last-guards.test.ts', locks: 'test/store/locks.test.ts', logins: 'test/boundary/logins.test.ts',
  races: 'test/store/races.test.ts', reviewAuthority: 'test/boundary/review-authority.test.ts', stolenGate: 'test/boundary/stolen-gate-login.test.ts',
} as const

/** One row of a table: id, what cannot happen, the text, the weakened text, the test's file, its name. */
type Row = readonly [id: string, guards: string, from: string, to: string, test: keyof typeof tests, name: string]

/** The guards of one migration. Conformance tests run against Postgres here: SQL is what is weakened. */
export function guardsOf(migration: string, rows: readonly Row[]): readonly Guard[] {
  return rows.map(([id, guards, from, to, test, name]) => ({
    id: `sql-${id}`, file: `src/postgres/migrations/${migration}.sql`, guards, from, to, test: tests[test], name, ...(tests[test].includes('/conformance/') ? { store: 'postgres' as const } : {}),
  }))
}

/** The guards of one migration that another one always comes before: id, what cannot happen, what comes first. */
export function secondLinesOf(migration: string, rows: readonly (readonly [id: string, guards: string, behind: string])[]): readonly SecondLine[] {
  return rows.map(([id, guards, behind]) => ({ id: `sql-${id}`, file: `src/postgres/migrations/${migration}.sql`, guards, behind }))
}
