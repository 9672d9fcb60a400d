/** `evaluate`: what the gate would answer. Nothing is written, done, or decided. */
import type { Command } from 'commander'
import { asksGate, askHelp, jsonFrom, type AskFlags } from './ask-flags.ts'
import { answerText, exitOf } from './ask-print.ts'
import type { evaluateAction } from './ask-workflow.ts'
import { ask } from './ask.ts'

export function evaluateCommand(program: Command): void {
  asksGate(program.command('evaluate').description('ask what would happen if an action were proposed now'))
    .argument('<domain>', 'as refunds')
    .argument('<action>', 'as REFUND_ORDER')
    .argument('<entityId>', 'as order-2')
    .argument('[params]', "the action's parameters: JSON, @file, or - for stdin; {} unless told")
    .addHelpText('after', `${askHelp}

It is answered as things stand, and judged anew when it is proposed. The ledger is not written.
Exit codes: 0 allowed, 2 invalid, 3 blocked, 4 a person would be asked, 1 no answer.`)
    .action(async (domain: string, action: string, entityId: string, written: string | undefined, flags: AskFlags) => {
      const params = await jsonFrom(written, 'the parameters')
      const { answer, ...run } = await ask<typeof evaluateAction>({
        command: 'evaluate', workflow: 'evaluateAction', domain, flags, readOnly: true,
        args: (asking) => [asking, action, entityId, params],
      })
      console.log(flags.json ? JSON.stringify({ ...run, ...answer }) : answerText(answer))
      process.exitCode = exitOf(answer.outcome)
    })
}
