/** `propose`: an action, as an agent proposes it. While a person is asked, the command waits. */
import { InvalidArgumentError, type Command } from 'commander'
import { maxIdLength, proposalRequest } from '../core/proposal.ts'
import { asksGate, askHelp, jsonFrom, type AskFlags } from './ask-flags.ts'
import { answerText, exitOf, waitingText } from './ask-print.ts'
import type { proposeAction } from './ask-workflow.ts'
import { ask } from './ask.ts'
import { exit, Failure } from './exit.ts'

interface ProposeFlags extends AskFlags {
  readonly why?: string
  readonly evidence?: readonly string[]
  readonly confidence?: number
  readonly key?: string
  readonly wait: boolean
}

export function proposeCommand(program: Command): void {
  asksGate(program.command('propose').description('propose an action; while a person is asked, wait'))
    .argument('<domain>', 'as refunds')
    .argument('<action>', 'as REFUND_ORDER')
    .argument('<entityId>', 'as order-2')
    .argument('[params]', "the action's parameters: JSON, @file, or - for stdin; {} unless told")
    .option('--why <text>', 'why, in your words; a claim, shown to whoever reviews')
    .option('--evidence <text>', 'what it rests on, another claim (repeatable)', (each: string, those: readonly string[] | undefined) => [...(those ?? []), each])
    .option('--confidence <0..1>', 'how sure you are', confidence)
    .option('--key <key>', `your own idempotency key, 1 to ${maxIdLength} characters: the same proposal by the same key is done once`)
    .option('--no-wait', 'ask nobody: what would need a person is evaluated only, and not proposed (exit 4)')
    .addHelpText('after', `${askHelp}

While a person is asked, stderr says who and where, and the command waits as long as it takes. Ctrl-C takes the request back.
Every run is a workflow of its own, and prints what the gate says now. Without --key it is a proposal of its own as well, and the
workflow of a command that was killed stays open until somebody terminates it. With one, what was done is told again, never done
again, also when Temporal has long forgotten the workflow; a refusal is judged afresh, but a person's no stays. Where another workflow
asks a person by that key already, stderr names it and its end is waited for, and one whose command was killed is carried on; Ctrl-C
ends only the wait. A key counts for one actor and one action; once something was asked or done by it, other parameters or another
entity are a conflict.
Exit codes: 0 allowed and done, 2 invalid, 3 blocked (also: denied, expired), 4 not proposed (--no-wait), 1 no answer, 130 interrupted.`)
    .action(async (domain: string, action: string, entityId: string, written: string | undefined, { why, evidence, confidence: sure, key, wait, ...flags }: ProposeFlags) => {
      if (why === undefined && (evidence !== undefined || sure !== undefined)) throw new Failure('--evidence and --confidence go with --why', exit.usage)
      if (key !== undefined && !wait) throw new Failure('give --key or --no-wait: a key stands for one proposal, and --no-wait may make none', exit.usage)
      if (!proposalRequest.shape.callerKey.safeParse(key).success) throw new Failure(`--key is a text of 1 to ${maxIdLength} characters, without control characters`, exit.usage)
      const params = await jsonFrom(written, 'the parameters')
      const beside = { ...(why === undefined ? {} : { why }), evidence, confidence: sure, callerKey: key }
      const told = new Set<string>()
      const { answer, ...run } = await ask<typeof proposeAction>({
        command: 'propose', workflow: 'proposeAction', domain, flags, readOnly: false,
        args: (asking) => [asking, action, entityId, params, beside, wait],
        onWaiting(waiting, withdraw) {
          if (told.has(waiting.approvalId)) return // asked again about the same round
          told.add(waiting.approvalId)
          console.error(waitingText(waiting))
          if (withdraw !== null) console.error('Ctrl-C takes the request back.')
          if (!wait) withdraw?.() // a rule that has only now begun to apply
        },
      })
      console.log(flags.json ? JSON.stringify({ ...run, ...answer }) : answerText(answer))
      process.exitCode = exitOf(answer.outcome)
    })
}

function confidence(written: string): number {
  const number = Number(written)
  if (written.trim() === '' || !(number >= 0 && number <= 1)) throw new InvalidArgumentError('It is a number from 0 to 1.')
  return number
}
