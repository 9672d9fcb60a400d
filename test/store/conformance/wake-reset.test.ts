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
  /** What the server answers to a signal. */
  readonly fault?: Error
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
          const fault = runs.find((run) => run.runId === runId)?.fault
          if (fault !== undefined) throw fault
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
async function decided(over: Partial<Shown> = {}): Promise<Shown> {
  const { run, approvalId } = await asking(over)
  await it.reviews.closeApproval(approvalBody(await requestOf(it, approvalId), 'approval_withdrawn', 'kiff', []))
  return run
}

async function asking(over: Partial<Shown>, workflowId?: string): Promise<{ readonly run: Shown; readonly approvalId: string }> {
  const proposal = aProposal(await it.anAccount(), { action: 'ASK', step: aStep(workflowId === undefined ? {} : { workflowId }) })
  const approvalId = await it.asked(proposal)
  const { step } = proposal
  return { approvalId, run: { workflowId: step.workflowId, runId: `${step.firstExecutionRunId}-now`, firstRunId: step.firstExecutionRunId, waits: 1, ...over } }
}

async function woken(runs: readonly Shown[], known = new Map<string, number>(), onFault?: (fault: unknown) => void): Promise<readonly string[]> {
  const server = serverShowing(runs)
  await wakeReset({ store: it.reviews, client: server.client, ...(onFault && { onFault }) }, known)
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

  test('and has ended since it was listed keeps no other from being told, and is no fault', async () => {
    const run = await decided()
    const faults: unknown[] = []
    expect(await woken([await waiting({ ended: true }), run], new Map(), (fault) => faults.push(fault))).toEqual([run.runId])
    expect(faults).toEqual([])
  })

  test('is looked at once, and told once, whether it is in order or not: a signal lasts', async () => {
    const [fine, wrong] = [await waiting(), await waiting({ waits: 2 })]
    const known = new Map<string, number>()
    const server = serverShowing([fine, wrong])
    for (let round = 0; round < 3; round++) await wakeReset({ store: it.reviews, client: server.client }, known)
    expect(server.described).toEqual([fine.runId, wrong.runId])
    expect(server.woken).toEqual([wrong.runId])
  })

  test('is looked at once more when another number of its calls waits', async () => {
    const run = await waiting()
    const known = new Map<string, number>()
    expect(await woken([run], known)).toEqual([])
    expect(await woken([{ ...run, waits: 2 }], known)).toEqual([run.runId])
    expect(await woken([{ ...run, waits: 2 }], known)).toEqual([])
  })

  test('is forgotten when it waits no more, and looked at anew when it does', async () => {
    const run = await decided()
    const known = new Map<string, number>()
    expect(await woken([run], known)).toEqual([run.runId])
    expect(await woken([], known)).toEqual([])
    expect(known.size).toBe(0)
    expect(await woken([run], known)).toEqual([run.runId])
  })

  test('and cannot be told holds up no other, and is tried again', async () => {
    const fault = new Error('the workflow has had too many signals')
    const [full, other] = [await decided({ fault }), await decided()]
    const known = new Map<string, number>()
    const faults: unknown[] = []
    for (const expected of [[other.runId], []]) expect(await woken([full, other], known, (each) => faults.push(each))).toEqual(expected)
    expect(faults).toEqual([fault, fault])
  })
})
