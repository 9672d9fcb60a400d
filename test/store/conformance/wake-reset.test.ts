/** Which of the runs that wait are told to look again, whatever the Temporal server shows of them. */
import type { Client } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { wakeReset } from '../../../src/approvals/wake-reset.ts'
import { aProposal, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

interface Shown {
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
          return { raw: { workflowExecutionInfo: { firstRunId: runs.find((run) => run.workflowId === workflowId)?.firstRunId } } }
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
async function waiting(over: Partial<Shown> = {}): Promise<Shown> {
  const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
  await it.asked(proposal)
  const { workflowId, firstExecutionRunId } = proposal.step
  return { workflowId, runId: `${firstExecutionRunId}-now`, firstRunId: firstExecutionRunId, waits: 1, ...over }
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
    const run: Shown = { workflowId: 'ticket-decided', runId: 'r-2', firstRunId: 'r-1', waits: 1 }
    expect(await woken([run, await waiting()])).toEqual(['r-2'])
  })

  test('in more calls than it has requests is told to look again', async () => {
    const run = await waiting({ waits: 2 })
    expect(await woken([run])).toEqual([run.runId])
  })

  test('under an id whose request is of another run chain is told to look again', async () => {
    const run = await waiting({ firstRunId: 'another-chain' })
    expect(await woken([run])).toEqual([run.runId])
  })

  test('is left alone where the store has more requests than it hands out at once', async () => {
    const { client, woken: disturbed } = serverShowing([{ workflowId: 'ticket-decided', runId: 'r-2', firstRunId: 'r-1', waits: 1 }])
    await waiting()
    const [row] = await it.reviews.openRounds()
    if (row === undefined) throw new Error('no request is open')
    await wakeReset({ store: { ...it.reviews, openRounds: async () => Array.from({ length: 1_000 }, () => row) }, client }, new Set())
    expect(disturbed).toEqual([])
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
