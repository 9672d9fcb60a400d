/** What `evaluate`, `propose`, `event` and `allowed` are told alike: who asks, as part of what, and where. */
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type { Command } from 'commander'
import { durationMs, type Duration } from '../core/duration.ts'
import { parseJsonText } from '../core/json-text.ts'
import type { Trace } from '../core/proposal.ts'
import { gateQueue } from '../temporal/names.ts'
import type { Asking } from './ask-workflow.ts'
import { exit, Failure } from './exit.ts'
import { setIn } from './where.ts'

export interface AskFlags {
  readonly actor?: string
  readonly mandate?: string
  readonly traceId?: string
  readonly correlationId?: string
  readonly causationId?: string
  readonly taskQueue?: string
  readonly timeout?: string
  readonly workflowId?: string
  readonly address?: string
  readonly namespace?: string
  readonly json?: true
}

export function asksGate(command: Command): Command {
  return command
    .option('--actor <id>', 'who asks (KIFF_ACTOR)')
    .option('--mandate <jwt | @file>', 'proves the actor to a gate that does not serve it (KIFF_MANDATE); it names the workflow id')
    .option('--trace-id <id>', 'what this is part of')
    .option('--correlation-id <id>', 'what it belongs to; the workflow id unless told')
    .option('--causation-id <id>', 'what caused it')
    .option('--task-queue <name>', "the gate's, kiff.<domain> unless told")
    .option('--timeout <duration>', 'how long one attempt of the gate may take, the executor included', '1 minute')
    .option('--workflow-id <id>', 'the workflow that asks; cli-<command>-<uuid> unless told')
    .option('--address <host:port>', "Temporal's address (TEMPORAL_ADDRESS, then what \"npm start\" runs here)")
    .option('--namespace <name>', "Temporal's namespace (TEMPORAL_NAMESPACE)")
    .option('--json', 'print one JSON object')
}

/** What stands below the options of all four. */
export const askHelp = `
It goes the way an agent goes, with an agent's rights and no more: a workflow asks the gate, and the gate must be configured to
serve the actor, or trust its mandate. Any answer stands in that workflow's history.`

/** @throws Failure (usage) when nobody is named, or a flag cannot be read */
export async function askingFrom(domain: string, flags: AskFlags): Promise<Asking & { readonly taskQueue: string }> {
  const actor = actorOf(flags)
  const mandate = flags.mandate ?? setIn('KIFF_MANDATE')
  const trace = traceOf(flags)
  return {
    domain, actor,
    taskQueue: flags.taskQueue ?? gateQueue(domain),
    startToCloseTimeout: timeoutOf(flags.timeout ?? '1 minute'),
    ...(mandate === undefined ? {} : { mandate: (mandate.startsWith('@') ? await fileText(mandate.slice(1)) : mandate).trim() }),
    ...(trace === undefined ? {} : { trace }),
  }
}

function actorOf(flags: AskFlags): string {
  const actor = flags.actor ?? setIn('KIFF_ACTOR')
  if (actor === undefined) throw new Failure('say who asks: give --actor, or set KIFF_ACTOR', exit.usage)
  return actor
}

function timeoutOf(written: string): number {
  try {
    return durationMs(written as Duration)
  } catch (error) {
    throw new Failure(`--timeout: ${error instanceof Error ? error.message : String(error)}`, exit.usage)
  }
}

function traceOf({ traceId, correlationId, causationId }: AskFlags): Trace | undefined {
  if (traceId === undefined && correlationId === undefined && causationId === undefined) return undefined
  return { traceId, correlationId, causationId }
}

/**
 * JSON as it is written on the command line: itself, `@file`, or `-` for stdin; left out, an empty object.
 * @throws Failure (usage) saying which text is wrong, and where
 */
export async function jsonFrom(written: string | undefined, what: string): Promise<unknown> {
  if (written === undefined) return {}
  if (written === '-') return parsed(await text(process.stdin), `${what}, from stdin`)
  if (written.startsWith('@')) return parsed(await fileText(written.slice(1)), `${what}, from ${written.slice(1)}`)
  return parsed(written, what)
}

function parsed(json: string, what: string): unknown {
  try {
    return parseJsonText(json)
  } catch (error) {
    throw new Failure(`${what}: ${error instanceof Error ? error.message : String(error)}`, exit.usage)
  }
}

async function fileText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new Failure(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, exit.usage)
  }
}
