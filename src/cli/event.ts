/** `event`: reports an event that has happened, told in words or as KIFF's raw input. */
import type { Command } from 'commander'
import { adapt, adapters, passthroughAdapter, type ReportedEvent } from '../core/adapter.ts'
import { defaultApp } from '../dev/app.ts'
import { visible } from '../approvals/visible-text.ts'
import { asksGate, askHelp, jsonFrom, type AskFlags } from './ask-flags.ts'
import { answerText, exitOf } from './ask-print.ts'
import type { reportEvent } from './ask-workflow.ts'
import { ask } from './ask.ts'
import { exit, Failure } from './exit.ts'
import { domainsMeant } from './verify-module.ts'

interface EventFlags extends AskFlags {
  readonly id?: string
  readonly source?: string
  readonly occurredAt?: string
  readonly raw?: string
  readonly app: string
}

type Reported = Omit<ReportedEvent, 'options'> & { readonly options: Partial<ReportedEvent['options']> }

export function eventCommand(program: Command): void {
  asksGate(program.command('event').description('report an event that has happened'))
    .argument('<domain>', 'as refunds')
    .argument('[event]', 'as ORDER_PAID')
    .argument('[entityId]', 'as order-2')
    .argument('[payload]', "the event's payload: JSON, @file, or - for stdin; {} unless told")
    .option('--id <id>', "the reporter's own id: the same id is the same event, recorded once")
    .option('--source <name>', 'where it comes from; the workflow unless told')
    .option('--occurred-at <time>', 'when it happened (RFC 3339); the ledger keeps its own time beside it')
    .option('--raw <file | ->', "read all of it from KIFF's raw input (JSON), by the adapter \"json\", which takes it as it stands")
    .option('--app <module>', 'the application whose domain the raw input is told in', defaultApp)
    .addHelpText('after', `${askHelp}

Raw input: { id, adapter: "json", type, source, entity_id, entity_type?, received_at, metadata?: { trace_id?, correlation_id?,
causation_id?, tags? }, payload? }. Its actor_id is its sender's word: the event is reported by --actor.
Exit codes: 0 recorded (also when it was known), 2 invalid, 3 the actor may not, or not now, 1 no answer, 130 interrupted.`)
    .action(async (domain: string, event: string | undefined, entityId: string | undefined, payload: string | undefined, flags: EventFlags) => {
      const reported = flags.raw === undefined ? await inWords(event, entityId, payload, flags) : await fromRaw(domain, flags.raw, event, flags)
      const { answer, ...run } = await ask<typeof reportEvent>({
        command: 'event', workflow: 'reportEvent', domain, flags, readOnly: false,
        args: (asking) => [asking, reported.event, reported.entityId, reported.payload, reported.options],
      })
      console.log(flags.json ? JSON.stringify({ ...run, ...answer }) : answerText(answer))
      process.exitCode = exitOf(answer.outcome)
    })
}

async function inWords(event: string | undefined, entityId: string | undefined, payload: string | undefined, { id, source, occurredAt }: EventFlags): Promise<Reported> {
  if (event === undefined || entityId === undefined) throw new Failure('say which event, of which entity; or give --raw', exit.usage)
  return {
    event, entityId, payload: await jsonFrom(payload, 'the payload'),
    options: { ...(id === undefined ? {} : { id }), ...(source === undefined ? {} : { source }), ...(occurredAt === undefined ? {} : { occurredAt }) },
  }
}

async function fromRaw(name: string, raw: string, event: string | undefined, { id, source, occurredAt, app }: EventFlags): Promise<Reported> {
  if ([event, id, source, occurredAt].some((told) => told !== undefined)) throw new Failure('--raw says all of the event itself', exit.usage)
  const input = await jsonFrom(raw === '-' ? raw : `@${raw}`, 'the raw input')
  const [domain] = await domainsMeant(name, app)
  if (domain === undefined) throw new Failure(`${app} has no domain ${name}`, exit.usage)
  const adapted = adapt(adapters(domain, [passthroughAdapter('json')]), input)
  if (!adapted.ok) throw new Failure(visible(`${adapted.reason}: ${adapted.message}`), exit.usage)
  return adapted.event
}
