/** `replay`: the per-step check of one workflow's history against the ledger. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client'
import { DefaultLogger, Runtime } from '@temporalio/worker'
import type { Command } from 'commander'
import type { JSONWebKeySet } from 'jose'
import { z } from 'zod'
import { defaultApp } from '../dev/app.ts'
import { fetchHistory, parseHistory, type History } from '../evidence/history.ts'
import { inkFor, printReplay } from '../evidence/print.ts'
import { replayCheck, type ReplayReport } from '../evidence/replay.ts'
import { createReviewVerifier } from '../temporal/verify-review.ts'
import { askWorkflows, isAskQueue } from './ask-code.ts'
import { withAuditor } from './auditor.ts'
import { domainsOf } from './domains.ts'
import { exit, Failure } from './exit.ts'
import { temporalAt } from './where.ts'

const defaultWorkflows = './workflows/index.ts'

interface ReplayFlags {
  readonly runId?: string
  readonly address?: string
  readonly namespace?: string
  readonly database?: string
  readonly workflows?: string
  readonly app?: string
  readonly reviewKeys?: string
  readonly json?: true
}

/** A history, where it is from, and how to read it again. */
interface Source {
  readonly history: History
  readonly workflowId?: string
  readonly namespace?: string
  readonly refetch?: () => Promise<History>
  readonly close: () => Promise<void>
}

export function replayCommand(program: Command): void {
  program
    .command('replay')
    .description("run a workflow's code against its history again, and compare each governed step with the ledger")
    .argument('<workflow>', 'a workflow id, or a history file (temporal workflow show --output json)')
    .option('--run-id <id>', 'a run other than the latest')
    .option('--address <host:port>', "Temporal's address")
    .option('--namespace <name>', "Temporal's namespace")
    .option('--database <url>', 'Postgres, as the kiff_auditor login')
    .option('--workflows <path>', `the module that exports the workflows (KIFF_WORKFLOWS, then ${defaultWorkflows}; those of our own commands are known)`)
    .option('--app <module>', `the application whose rules are applied again (${defaultApp}, where it exists)`)
    .option('--review-keys <file>', "the human-facing service's public keys (JWKS), to check the signatures of reviews with")
    .option('--json', 'print one JSON object')
    .addHelpText('after', `
Defaults come from TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, KIFF_AUDITOR_DATABASE_URL and KIFF_WORKFLOWS, then from what
"npm start" runs here. Exit code 5: a step differs; the first one is named.`)
    .action(async (workflow: string, flags: ReplayFlags) => {
      const report = await checked(workflow, flags)
      console.log(flags.json ? JSON.stringify(report) : printReplay(report, inkFor(process.stdout)))
      process.exitCode = report.ok ? exit.ok : exit.verificationFailed
    })
}

async function checked(workflow: string, flags: ReplayFlags): Promise<ReplayReport> {
  const told = flags.workflows === undefined ? undefined : existing(flags.workflows)
  const domains = await domainsOf(flags.app)
  const reviewKeys = flags.reviewKeys === undefined ? undefined : await publicKeys(flags.reviewKeys)
  const source = await (isFile(workflow) ? fromFile(workflow, flags) : fromServer(workflow, flags))
  try {
    // What a replay logs comes back as its error as well.
    Runtime.install({ logger: new DefaultLogger('ERROR', () => {}), telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } })
    const { close: _, ...given } = source
    const workflowsPath = told ?? (isAsked(source.history) ? askWorkflows : existing(process.env['KIFF_WORKFLOWS'] ?? defaultWorkflows))
    return await withAuditor(flags.database, (auditor) => replayCheck({ ...given, auditor, domains, workflowsPath, ...(reviewKeys === undefined ? {} : { reviewKeys }) }))
  } finally {
    await source.close()
  }
}

/** @throws Failure (usage) when there is no such module */
function existing(workflows: string): string {
  const path = resolve(workflows)
  if (!existsSync(path)) throw new Failure(`${workflows} does not exist; name the module that exports the workflows with --workflows`, exit.usage)
  return path
}

/** One of `propose`, `event`, `evaluate` or `allowed`, by the task queue that its history begins with. */
function isAsked({ events }: History): boolean {
  return isAskQueue(events?.[0]?.workflowExecutionStartedEventAttributes?.taskQueue?.name ?? '')
}

async function publicKeys(path: string): Promise<JSONWebKeySet> {
  try {
    const keys = jwks.parse(JSON.parse(await readFile(path, 'utf8')))
    createReviewVerifier(keys) // says what is wrong with a key, here
    return keys
  } catch (error) {
    throw new Failure(`${path} holds no public review keys: ${error instanceof z.ZodError ? 'it is no JWKS' : error instanceof Error ? error.message : String(error)}`, exit.usage)
  }
}

const jwks: z.ZodType<JSONWebKeySet> = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).min(1) })

function isFile(workflow: string): boolean {
  if (existsSync(workflow)) return true
  if (workflow.endsWith('.json')) throw new Failure(`there is no file ${workflow}`, exit.usage)
  return false
}

async function fromFile(path: string, flags: ReplayFlags): Promise<Source> {
  try {
    const history = parseHistory(await readFile(path, 'utf8'))
    return { history, ...(flags.namespace === undefined ? {} : { namespace: flags.namespace }), close: async () => {} }
  } catch (error) {
    throw new Failure(`${path}: ${error instanceof Error ? error.message : String(error)}`, exit.usage)
  }
}

async function fromServer(workflowId: string, flags: ReplayFlags): Promise<Source> {
  const { address, namespace } = await temporalAt(flags)
  const connection = await Connection.connect({ address, connectTimeout: '5 seconds' }).catch((error: unknown) => {
    throw new Failure(`there is no Temporal server at ${address} (${error instanceof Error ? error.message : String(error)})`)
  })
  const client = new Client({ connection, namespace })
  try {
    // The latest run now: it may be continued as new, or reset, while it is being checked.
    const { runId } = await client.workflow.getHandle(workflowId, flags.runId).describe()
    const refetch = (): Promise<History> => fetchHistory(client, workflowId, runId)
    return { history: await refetch(), workflowId, namespace, refetch, close: () => connection.close() }
  } catch (error) {
    await connection.close()
    if (error instanceof WorkflowNotFoundError) throw new Failure(`there is no workflow ${workflowId}${flags.runId === undefined ? '' : `, run ${flags.runId},`} in namespace ${namespace}`)
    throw error
  }
}
