/** What a proof is made of: one guard, how to weaken it, and the test that must notice. */

export interface Guard {
  /** Kebab-case, unique; says what is guarded. */
  readonly id: string
  /** From the repository's root: `src/gate/decide.ts`. */
  readonly file: string
  /** One clause: what cannot happen because of it. */
  readonly guards: string
  /** Source text; occurs exactly once in the file. */
  readonly from: string
  /** The weakened text. */
  readonly to: string
  /** The test's file, from the repository's root. */
  readonly test: string
  /** The test's full name (`describe > test`), or a part of it that no other test of the file has. */
  readonly name: string
  /** For tests of `test/store/conformance`: which store they run against. Default: the one in memory. */
  readonly store?: 'memory' | 'postgres'
}

/** A guard that no test can see fail alone, because another one always comes first. */
export interface SecondLine {
  readonly id: string
  readonly file: string
  readonly guards: string
  /** The guard that comes first. */
  readonly behind: string
}

/** One row of a table: id, what cannot happen, the text, the weakened text, the test's name, and its file where that is another. */
type Row = readonly [id: string, guards: string, from: string, to: string, name: string, test?: string]

/** The guards of one file, and the test file that names most of them. */
export function guardsIn(file: string, test: string, rows: readonly Row[]): readonly Guard[] {
  return rows.map(([id, guards, from, to, name, other = test]) => ({ id, file, guards, from, to, test: other, name }))
}

/** How often a text stands in `source`: a guard's, exactly once, so that weakening it weakens that and nothing else. */
export function occurrences(source: string, text: string): number {
  return source.split(text).length - 1
}
