/**
 * How a question ends without an answer: Ctrl-C cancels its workflow, which takes back what it asked of a person. What another
 * workflow asks is that one's: whoever only waits for it leaves it as it is.
 */
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client'
import { CancelledFailure, TerminatedFailure } from '@temporalio/common'
import { visible } from '../approvals/visible-text.ts'
import { heldBack, unanswered } from './ask-call.ts'
import { pause } from './ask-progress.ts'
import { exit, Failure } from './exit.ts'

/** What shells expect of a command that was interrupted. */
const interrupted = 130

/** How often to look what is left to be given up. */
const everyMs = 1_000

export interface Interrupt {
  readonly cancel: () => void
  /** The workflow whose request this one waited behind when it was given up, with nothing of its own under way. */
  readonly left: () => string | null
  /** The usual meaning of Ctrl-C again. */
  readonly forget: () => void
}

/**
 * Cancels the workflow at the first Ctrl-C or SIGTERM, and leaves it at the second. A gate call that was made cannot be cancelled;
 * so what no gate has taken is terminated, and what waits behind another workflow's request as well, once it is held back. So is a
 * question, which changes nothing.
 */
export function onInterrupt(handle: WorkflowHandle, { readOnly, say }: { readonly readOnly: boolean; readonly say: (line: string) => void }): Interrupt {
  const signals = ['SIGINT', 'SIGTERM'] as const
  let before = false
  const over = new AbortController()
  let left: string | null = null
  /** @returns whether it was waiting behind another, and is ended */
  const leaveBehind = async (): Promise<boolean> => {
    const open = await unanswered(handle)
    if (open?.last?.is !== 'asked' || !(await heldBack(handle, open))) return false
    left = open.last.workflowId
    await handle.terminate('given up at the keyboard')
    return true
  }
  const giveUp = async (): Promise<void> => {
    if (await leaveBehind()) return
    say('cancelling; a second Ctrl-C leaves it to the gate, which finishes what it has begun and withdraws what this command asked')
    const open = await unanswered(handle)
    if (readOnly || open?.taken === false) {
      await handle.terminate('given up at the keyboard')
      return
    }
    await handle.cancel()
    // The call that was under way may only now find that another workflow asks.
    while (!over.signal.aborted && !(await leaveBehind())) await pause(everyMs)
  }
  const onSignal = (): void => {
    if (before) void handle.terminate('left at the keyboard').catch(() => {}).finally(() => process.exit(interrupted))
    else giveUp().catch((error: unknown) => { if (!over.signal.aborted) say(`it could not be cancelled: ${error instanceof Error ? error.message : String(error)}`) })
    before = true
  }
  for (const signal of signals) process.on(signal, onSignal)
  return {
    cancel: () => void handle.cancel().catch(() => {}),
    left: () => left,
    forget: () => {
      over.abort()
      for (const signal of signals) process.off(signal, onSignal)
    },
  }
}

/** Why there is no answer, in one sentence with its exit code. `withdrawn`: by the command itself, which was told to ask nobody. */
export function endingOf(error: unknown, { workflowId, waited, withdrawn, left }: { readonly workflowId: string; readonly waited: boolean; readonly withdrawn: boolean; readonly left: string | null }): unknown {
  if (!(error instanceof WorkflowFailedError)) return error
  const code = withdrawn ? exit.approvalRequired : interrupted
  if (error.cause instanceof CancelledFailure) return new Failure(waited ? 'cancelled: the request is withdrawn' : 'cancelled: nothing was asked of the gate', code)
  if (error.cause instanceof TerminatedFailure && left !== null) return new Failure(`left: workflow ${visible(left)} goes on asking, and this command has begun nothing of its own`, code)
  if (error.cause instanceof TerminatedFailure) return new Failure('given up before the gate had answered; what it may have done by then stands in the ledger', code)
  return new Failure(`workflow ${workflowId} failed: ${error.cause?.message ?? error.message}`)
}
