/** `allowed`: what could be proposed now. Nothing is written. */
import type { Command } from 'commander'
import { asksGate, askHelp, type AskFlags } from './ask-flags.ts'
import { actionsText, answerText, exitOf } from './ask-print.ts'
import type { listAllowedActions } from './ask-workflow.ts'
import { ask } from './ask.ts'
import { exit } from './exit.ts'

export function allowedCommand(program: Command): void {
  asksGate(program.command('allowed').description("list the actions that an entity's state and the actor's roles permit now"))
    .argument('<domain>', 'as refunds')
    .argument('<entityId>', 'as order-2')
    .addHelpText('after', `${askHelp}

Parameters may still refuse an action, and a rule may ask a person: "evaluate" tells. An actor that the gate does not know may nothing.
Exit codes: 0 answered (also when there is none), 2 the gate has no such domain, 1 no answer.`)
    .action(async (domain: string, entityId: string, flags: AskFlags) => {
      const { answer, ...run } = await ask<typeof listAllowedActions>({
        command: 'allowed', workflow: 'listAllowedActions', domain, flags, readOnly: true,
        args: (asking) => [asking, entityId],
      })
      const refused = 'outcome' in answer
      if (flags.json) console.log(JSON.stringify({ ...run, ...(refused ? answer : { actions: answer }) }))
      else console.log(refused ? answerText(answer) : actionsText(answer))
      process.exitCode = refused ? exitOf(answer.outcome) : exit.ok
    })
}
