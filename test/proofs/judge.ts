/** What a run of the named test says about a guard. */
import type { Guard } from './guard.ts'
import { firstLine, type RunEnd, type TestEnd } from './run-tests.ts'

/** `stale`: the entry itself is wrong, so that nothing is known about the guard. */
export type Verdict = 'proven' | 'survived' | 'stale'

export interface Judgement {
  readonly verdict: Verdict
  /** The failure's first line, or why it is stale. */
  readonly note: string
}

/** Without the mutation: the named test is there once and passes; otherwise what is wrong. */
export function unfit(guard: Guard, run: RunEnd): string | undefined {
  if (run.kind === 'hung') return 'its test file hangs without the mutation'
  if (run.kind === 'unread') return `its test file does not run: ${run.why}`
  const named = namedIn(run.tests, guard)
  if (named.length !== 1) return named.length === 0 ? 'there is no test with that name' : `${named.length} tests have that name`
  const [test] = named
  return test?.status === 'passed' ? undefined : `its test fails without the mutation: ${firstLine(test?.failures[0] ?? test?.status ?? '')}`
}

/** With the mutation: proven only if the named test itself ran and failed. */
export function judge(guard: Guard, run: RunEnd): Judgement {
  if (run.kind === 'hung') return { verdict: 'stale', note: 'the run hung and was killed' }
  if (run.kind === 'unread') return { verdict: 'stale', note: `no test was reached: ${run.why}` }
  const [test] = namedIn(run.tests, guard)
  if (test?.status === 'passed') return { verdict: 'survived', note: 'the test passes without the guard' }
  if (test?.status !== 'failed') return { verdict: 'stale', note: 'the test was not reached' }
  const failure = firstLine(test.failures[0] ?? '')
  return { verdict: 'proven', note: /test timed out in/i.test(failure) ? `timed out: ${failure}` : failure }
}

/** The test of exactly that name, or else those whose name holds it. */
function namedIn(tests: readonly TestEnd[], { name }: Guard): readonly TestEnd[] {
  const exactly = tests.filter(({ fullName }) => fullName === name)
  return exactly.length > 0 ? exactly : tests.filter(({ fullName }) => fullName.includes(name))
}
