/** Says, once a key, that reviews are signed with one this gate has not been given: otherwise they would just seem not to count. */
import { log } from '@temporalio/activity'
import type { OnUnknownKey } from '../temporal/verify-review.ts'

/** Anybody who may signal a workflow can name keys: the log is not theirs to fill. */
const most = 20

/** For verifying within an activity, by its worker's logger. */
export function warnOfUnknownKeys(): OnUnknownKey {
  const told = new Set<string>()
  return (unknown, known) => {
    if (told.has(unknown) || told.size >= most) return
    told.add(unknown)
    log.warn('a review counts for nothing: it is signed with a key that is not among the reviewKeys of this gate worker', { unknownKeyId: unknown.slice(0, 200), knownKeyIds: known })
  }
}
