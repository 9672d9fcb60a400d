/** How a question ends without an answer: Ctrl-C cancels its workflow, which takes back what it asked of a person. */
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client'
import { CancelledFailure, TerminatedFailure } from '@temporalio/common'
import { unanswered } from './ask-progress.ts'
import { exit, Failure } from './exit.ts'

/** What shells expect of a command that was interrupted. */
const interrupted = 130

export interface Interrupt {
  readonly cancel: () => void
  /** The usual meaning of Ctrl-C again. */
  readonly forget: () => void
}

/**
 * Cancels the workflow at the first Ctrl-C or SIGTERM, and leaves it at the second. What no gate has taken is terminated, since a gate
 * call under way cannot be cancelled; so is a question, which changes nothing.
 */
export function onInterrupt(handle: WorkflowHandle, { readOnly, say }: { readonly readOnly: boolean; readonly say: (line: string) => void }): Interrupt {
  const signals = ['SIGINT', 'SIGTERM'] as const
  let before = false
  const giveUp = async (): Promise<void> => {
    const open = await unanswered(handle)
    if (readOnly || open?.taken === false) await handle.terminate('given up at the keyboard')
    else await handle.cancel()
  }
  const onSignal = (): void => {
    if (before) void handle.terminate('left at the keyboard').catch(() => {}).finally(() => process.exit(interrupted))
    else {
      say('cancelling; a second Ctrl-C leaves it to the gate, which finishes what it has begun and withdraws what it asked')
      giveUp().catch((error: unknown) => say(`it could not be cancelled: ${error instanceof Error ? error.message : String(error)}`))
    }
    before = true
  }
  for (const signal of signals) process.on(signal, onSignal)
  return {
    cancel: () => void handle.cancel().catch(() => {}),
    forget: () => { for (const signal of signals) process.off(signal, onSignal) },
  }
}

/** Why there is no answer, in one sentence with its exit code. `withdrawn`: by the command itself, which was told to ask nobody. */
export function endingOf(error: unknown, { workflowId, waited, withdrawn }: { readonly workflowId: string; readonly waited: boolean; readonly withdrawn: boolean }): unknown {
  if (!(error instanceof WorkflowFailedError)) return error
  const code = withdrawn ? exit.approvalRequired : interrupted
  if (error.cause instanceof CancelledFailure) return new Failure(waited ? 'cancelled: the request is withdrawn' : 'cancelled: nothing was asked of the gate', code)
  if (error.cause instanceof TerminatedFailure) return new Failure('given up before the gate had answered; what it may have done by then stands in the ledger', code)
  return new Failure(`workflow ${workflowId} failed: ${error.cause?.message ?? error.message}`)
}
