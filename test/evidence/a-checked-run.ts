/** Runs of governed workflows, and their per-step check, for the tests of the replay check. */
import type { WorkflowHandle } from '@temporalio/client'
import { refunds } from '../../domains/refunds/domain.ts'
import type { Domain } from '../../src/core/domain.ts'
import { fetchHistory, type History } from '../../src/evidence/history.ts'
import { replayBundle } from '../../src/evidence/replay-bundle.ts'
import { replayCheck, type ReplayReport } from '../../src/evidence/replay.ts'
import { executors } from '../../src/gate/index.ts'
import { aStack, type Stack } from '../a-stack.ts'
import { aPaidOrder } from '../an-entity.ts'

export interface Ran {
  readonly handle: WorkflowHandle
  readonly chain: string
  readonly entityId: string
}

export interface Checked {
  readonly stack: Stack
  readonly bundle: { readonly code: string }
  /** What a workflow proposes: within the limit unless told. */
  readonly aRefund: (entityId: string, amountCents?: number, more?: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>
  /** One refund, within the limit. Its order's chain has four rows: the last two are `opened` and `executed`. */
  readonly aRun: (calls?: (entityId: string) => readonly unknown[]) => Promise<Ran>
  /** A refund that a person has granted. Rows: 3 asked, 4 reviewed, 5 opened, 6 executed. */
  readonly aGrantedRun: () => Promise<Ran & { readonly approvalId: string }>
  /** The report on a run; on another history, or by other rules, where given. */
  readonly check: (run: Pick<Ran, 'handle'>, other?: { readonly history?: History; readonly domains?: readonly Domain[] }) => Promise<ReplayReport>
  readonly history: (run: Pick<Ran, 'handle'>) => Promise<History>
}

export async function checked(): Promise<Checked> {
  const [stack, bundle] = await Promise.all([
    aStack({
      verified: false,
      bound: executors(refunds, { REFUND_ORDER: async ({ entityId }) => ({ refundId: `r-${entityId}` }) }),
      actors: ['support-agent-1', 'shop'],
      members: { 'support-agent-1': 'support-agent', shop: 'shop', maria: 'finance' },
    }),
    replayBundle({ workflowsPath: new URL('../fixtures/workflows/index.ts', import.meta.url).pathname }),
  ])
  const aRefund: Checked['aRefund'] = (entityId, amountCents = 4_200, more = {}) => ({ queue: stack.queues.gate, entityId, params: { amountCents, reason: 'late' }, why: 'it came late', ...more })
  const history: Checked['history'] = ({ handle }) => fetchHistory(stack.client, handle.workflowId)
  return {
    stack, bundle, aRefund, history,
    async aRun(calls = (entityId) => [aRefund(entityId)]) {
      const entityId = await aPaidOrder(stack)
      const handle = await stack.start('proposeInTurn', [calls(entityId)])
      await handle.result()
      return { handle, entityId, chain: `refunds/Order/${entityId}` }
    },
    async aGrantedRun() {
      const entityId = await aPaidOrder(stack)
      const handle = await stack.start('propose', [aRefund(entityId, 99_900)])
      const approvalId = await stack.asked(entityId)
      await stack.review(approvalId, 'granted', 'maria')
      await handle.result()
      return { handle, entityId, approvalId, chain: `refunds/Order/${entityId}` }
    },
    check: async (run, other = {}) =>
      replayCheck({ history: other.history ?? (await history(run)), workflowId: run.handle.workflowId, bundle, auditor: stack.db.pool('auditor'), domains: other.domains ?? [refunds], namespace: 'default' }),
  }
}

/** Checks that failed, by step: `1 row`. */
export const failed = ({ steps }: ReplayReport): string[] => steps.flatMap(({ index, checks }) => Object.entries(checks).flatMap(([name, held]) => (held === false ? [`${index} ${name}`] : [])))
export const kinds = ({ findings }: ReplayReport): string[] => findings.map(({ kind }) => kind)
