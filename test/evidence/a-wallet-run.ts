/** Runs in which facts are read and two people are asked, and their per-step check. */
import { randomUUID } from 'node:crypto'
import type { WorkflowHandle } from '@temporalio/client'
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker'
import type { JSONWebKeySet } from 'jose'
import type { Domain } from '../../src/core/domain.ts'
import { fetchHistory, type History } from '../../src/evidence/history.ts'
import { replayBundle } from '../../src/evidence/replay-bundle.ts'
import { replayCheck, type ReplayReport } from '../../src/evidence/replay.ts'
import { executors, KiffPlugin, type BoundDomain } from '../../src/gate/index.ts'
import { aStack, type Stack } from '../a-stack.ts'
import type { Payout } from '../fixtures/asking-workflows/index.ts'
import { wallets, type walletsDeriving } from '../fixtures/wallets.ts'

export const balanceCents = 250_000

export interface WalletRun {
  readonly handle: WorkflowHandle
  readonly entityId: string
  readonly chain: string
}

export interface WalletRuns {
  readonly stack: Stack
  readonly payingFor: (domain: ReturnType<typeof walletsDeriving>) => BoundDomain
  /** A wallet in state OPEN. Its chain has one row. */
  readonly aWallet: () => Promise<string>
  readonly start: (payout: Partial<Payout> & Pick<Payout, 'calls'>, workflowId?: string) => Promise<WalletRun>
  /** The same, to its end. */
  readonly run: (payout: Partial<Payout> & Pick<Payout, 'calls'>, workflowId?: string) => Promise<WalletRun>
  /** A payout that olga and otto have granted. Rows: 2 asked, 3 and 4 reviewed, 5 opened, 6 executed. */
  readonly aGrantedRun: (payout?: Partial<Payout>) => Promise<WalletRun & { readonly approvalId: string }>
  readonly check: (run: Pick<WalletRun, 'handle'>, other?: { readonly history?: History; readonly domains?: readonly Domain[]; readonly reviewKeys?: JSONWebKeySet }) => Promise<ReplayReport>
}

const payingFor: WalletRuns['payingFor'] = (domain) =>
  executors(domain, { PAY_OUT: async ({ entityId }) => ({ payoutId: `p-${entityId}` }) }, { balanceCents: async () => balanceCents })

/** Reviewers: olga and otto. `verified`: as for any stack. */
export async function walletRuns(options: { readonly verified?: boolean } = {}): Promise<WalletRuns> {
  const workflowsPath = new URL('../fixtures/asking-workflows/index.ts', import.meta.url).pathname
  const [stack, bundle, workflowBundle] = await Promise.all([
    aStack({ ...options, bound: payingFor(wallets), actors: ['bot', 'clerk'], members: { bot: 'bot', envoy: 'bot', clerk: 'reporter', olga: 'reviewer', otto: 'reviewer' } }),
    replayBundle({ workflowsPath }),
    bundleWorkflowCode({ workflowsPath, plugins: [new KiffPlugin()], logger: new DefaultLogger('ERROR') }),
  ])
  const agents = `agents-${randomUUID()}`
  await stack.startWorker({ taskQueue: agents, workflowBundle })

  const aWallet: WalletRuns['aWallet'] = async () => {
    const entityId = `wallet-${randomUUID()}`
    await stack.run('report', [stack.queues.gate, 'clerk', [{ event: 'OPENED', entityId, payload: {} }], 'wallets'])
    return entityId
  }
  const start: WalletRuns['start'] = async (payout, workflowId = `payout-${randomUUID()}`) => {
    const entityId = payout.entityId ?? (await aWallet())
    const argument: Payout = { queue: stack.queues.gate, ...payout, entityId }
    const handle = await stack.client.workflow.start('payOut', { taskQueue: agents, workflowId, args: [argument] })
    return { handle, entityId, chain: `wallets/Wallet/${entityId}` }
  }
  return {
    stack, payingFor, aWallet, start,
    async run(payout, workflowId) {
      const started = await start(payout, workflowId)
      await started.handle.result()
      return started
    },
    async aGrantedRun(payout = {}) {
      const started = await start({ calls: [{ action: 'PAY_OUT', amountCents: 50_000 }], ...payout })
      const approvalId = await stack.asked(started.entityId)
      await stack.review(approvalId, 'granted', 'olga')
      await stack.review(approvalId, 'granted', 'otto')
      await started.handle.result()
      return { ...started, approvalId }
    },
    check: async ({ handle }, { domains = [wallets], ...other } = {}) =>
      replayCheck({ history: await fetchHistory(stack.client, handle.workflowId), workflowId: handle.workflowId, bundle, auditor: stack.db.pool('auditor'), domains, namespace: 'default', ...other }),
  }
}
