/** Which of the runs that wait are told to look again, whatever the Temporal server shows of them. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { approvalBody } from '../../../src/approvals/review.ts'
import { wakeReset } from '../../../src/approvals/wake-reset.ts'
import { aProposal, aStep, requestOf, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

interface Shown {
  /** It ends before it is looked at. */
  readonly ended?: boolean
  readonly workflowId: string
  readonly runId: string
  readonly firstRunId: string
  readonly waits: number
}

/** A server on which these runs wait. */
function serverShowing(runs: readonly Shown[]): { readonly client: Client; readonly woken: readonly string[]; readonly described: readonly string[] } {
  const woken: string[] = []
  const described: string[] = []
  const client = {
    options: { namespace: 'default' },
    workflow: {
      async* list() {
        for (const { workflowId, runId, waits } of runs) yield { workflowId, runId, searchAttributes: { KiffPendingApprovals: [waits] } }
      },
      getHandle: (workflowId: string, runId: string) => ({
        async describe() {
          described.push(runId)
          if (runs.some((run) => run.runId === runId && run.ended === true)) throw new WorkflowNotFoundError('workflow not found', workflowId, runId)
          return { raw: { workflowExecutionInfo: { firstRunId: runs.find((run) => run.runId === runId)?.firstRunId } } }
        },
        async signal(_: string, { jws }: { readonly jws: readonly string[] }) {
          if (jws.length === 0) woken.push(runId)
        },
      }),
    },
  }
  return { client: client as unknown as Client, woken, described }
}

/** A run that waits for a request which is open. */
async function waiting(over: Partial<Shown> = {}, workflowId?: string): Promise<Shown> {
  return (await asking(over, workflowId)).run
}

/** A run that waits for a request which is decided. */
async function decided(): Promise<Shown> {
  const { run, approvalId } = await asking({})
  await it.reviews.closeApproval(approvalBody(await requestOf(it, approvalId), 'approval_withdrawn', 'kiff', []))
  return run
}

async function asking(over: Partial<Shown>, workflowId?: string): Promise<{ readonly run: Shown; readonly approvalId: string }> {
  const proposal = aProposal(await it.anAccount(), { action: 'ASK', step: aStep(workflowId === undefined ? {} : { workflowId }) })
  const approvalId = await it.asked(proposal)
  const { step } = proposal
  return { approvalId, run: { workflowId: step.workflowId, runId: `${step.firstExecutionRunId}-now`, firstRunId: step.firstExecutionRunId, waits: 1, ...over } }
}

async function woken(runs: readonly Shown[], inOrder = new Set<string>()): Promise<readonly string[]> {
  const server = serverShowing(runs)
  await wakeReset({ store: it.reviews, client: server.client }, inOrder)
  return server.woken
}

describe('a run that waits', () => {
  test('for a request that is open is left alone', async () => {
    expect(await woken([await waiting()])).toEqual([])
  })

  test('and has no request any more is told to look again', async () => {
    const run = await decided()
    expect(await woken([run, await waiting()])).toEqual([run.runId])
  })

  test('in more calls than it has requests is told to look again', async () => {
    const run = await waiting({ waits: 2 })
    expect(await woken([run])).toEqual([run.runId])
  })

  test('and has no request any more is told to, also where another run chain of its workflow id has one', async () => {
    const run = await decided()
    expect(await woken([run, await waiting({}, run.workflowId)])).toEqual([run.runId])
  })

  test('and has never asked here is left alone: it waits for the people of another database', async () => {
    expect(await woken([{ workflowId: 'ticket-elsewhere', runId: 'r-2', firstRunId: 'r-1', waits: 1 }])).toEqual([])
  })

  test('and has ended since it was listed keeps no other from being told', async () => {
    const run = await decided()
    expect(await woken([await waiting({ ended: true }), run])).toEqual([run.runId])
  })

  test('is looked at once when it is in order, and again as long as it is not', async () => {
    const [fine, wrong] = [await waiting(), await waiting({ waits: 2 })]
    const inOrder = new Set<string>()
    const server = serverShowing([fine, wrong])
    for (let round = 0; round < 3; round++) await wakeReset({ store: it.reviews, client: server.client }, inOrder)
    expect(server.described).toEqual([fine.runId, wrong.runId, wrong.runId, wrong.runId])
    expect(server.woken).toEqual([wrong.runId, wrong.runId, wrong.runId])
  })
})
