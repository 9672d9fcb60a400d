/** Waiting behind an open execution: Temporal's retry is the queue, and waiting writes nothing. */
import { ApplicationFailure } from '@temporalio/activity'
import { failures } from '../temporal/names.ts'

/** An execution whose lease ends within this time is waited for to its end. */
const soonMs = 2_000

/**
 * The activity comes again: when the lease ends, where that is soon; else by the back-off of its own retries, since most executions
 * end long before their lease.
 */
export function busy(entityId: string, leaseRemainingMs: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: failures.entityBusy,
    message: `an action on ${entityId} is under way; waiting for it`,
    ...(leaseRemainingMs > soonMs ? {} : { nextRetryDelay: Math.max(leaseRemainingMs, 500) }),
  })
}
