/** The same for each of many, where what is wrong with one is no reason to leave the others. */
import { isGrpcServiceError, ServiceError } from '@temporalio/client'

/** gRPC's code for a server that cannot be reached, after the client has tried for some time. */
const unavailable = 14

/**
 * Does `work` for each, in turn. What fails of one is told to `onFault`, and the next has its turn.
 * @throws the fault of a Temporal server that is away: it is no one's in particular, and each of the others would wait for it again
 */
export async function oneByOne<T>(all: Iterable<T>, work: (one: T) => Promise<void>, onFault: (fault: unknown, of: T) => void = () => {}): Promise<void> {
  for (const one of all) {
    try {
      await work(one)
    } catch (fault) {
      if (isAway(fault)) throw fault
      onFault(fault, one)
    }
  }
}

function isAway(fault: unknown): boolean {
  const answer = fault instanceof ServiceError ? fault.cause : undefined
  const code: number | undefined = isGrpcServiceError(answer) ? answer.code : undefined
  return code === unavailable
}
