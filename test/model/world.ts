/** The real gate on the store in memory, with two attempts that stop at every await, people, a sweeper, events, and a clock that a test turns. */
import { approvalBody, createDesk } from '../../src/approvals/review.ts'
import { createReviewSigner, generateDevReviewKey } from '../../src/approvals/signing.ts'
import type { Step as GateStep } from '../../src/core/proposal.ts'
import type { Verdict } from '../../src/core/approval.ts'
import type { BoundDomain, Executor } from '../../src/gate/binding.ts'
import { propose, withdraw, type GateOptions } from '../../src/gate/gate.ts'
import { rowOfOpened } from '../../src/gate/opened-row.ts'
import { applyReconciliations } from '../../src/gate/reconcile.ts'
import { toProposal } from '../../src/gate/proposal.ts'
import { report } from '../../src/gate/report.ts'
import { createReconciliationVerifier, createReviewVerifier } from '../../src/temporal/verify-review.ts'
import { aFixedClock } from '../../src/testing/clock.ts'
import { createMemoryStore, type MemoryStore } from '../../src/testing/memory-store.ts'
import { accounts, type Action } from './a-domain.ts'
import { Provider } from './provider.ts'
import { stepwise, stopping, type Stepwise } from './stepwise.ts'

const entityId = 'account-1'
const { privateKey, publicKeys } = await generateDevReviewKey()
const sign = await createReviewSigner(privateKey)
const members = { bot: 'bot', olga: 'reviewer', otto: 'reviewer', shop: 'reporter' } as const
const executorMs = 60_000
const leaseMs = 65_000
const idempotentMs = 3_600_000

const timing = () => ({ executorMs, leaseMs, until: Date.now() + executorMs })
const chain = (occurrence: number) => ({ firstExecutionRunId: 'run', generation: 0, occurrence })

/** What can happen next, in words, and how. */
export type Choice = readonly [name: string, happen: () => Promise<unknown>]

interface Running {
  readonly step: GateStep
  readonly of: number
  readonly withdraws: string | null
  readonly reviews: readonly string[]
  readonly run: Stepwise
}

/** What an executor does when it is asked: its end, as the schedule chose it last. */
type Does = 'pay' | 'pay_and_lose_the_answer' | 'pay_and_answer_badly' | 'throw' | 'refuse'

export interface World {
  readonly memory: MemoryStore
  readonly provider: Provider
  /** The execution keys of the two proposals. */
  readonly keys: readonly string[]
  /** In groups: each is as likely as the others, however many there are in it. */
  readonly choices: () => readonly (readonly Choice[])[]
}

/** @param action what both equal proposals are for @param honoursForMs how long the provider really honours a key, where it says that it does */
export async function aWorld(action: Action, honoursForMs = idempotentMs): Promise<World> {
  const clock = aFixedClock()
  const memory = createMemoryStore([accounts], clock.now)
  const desk = createDesk(memory.reviews, sign, () => new Date(clock.now()))
  const provider = new Provider()
  const running: (Running | null)[] = [null, null]
  /** The last call of each slot, as the server would hand it out again. */
  const lost: (Omit<Running, 'run'> | null)[] = [null, null]
  let does: Does = 'pay'
  let calls = 0
  for (const [actor, role] of Object.entries(members)) await memory.changeMembership({ kind: 'role_granted', domain: accounts.name, actor, role, by: 'test' })

  const executor = (stop: (at: string) => Promise<void>): Executor => async ({ idempotencyKey }) => {
    await stop('before it asks the provider')
    const now = does
    if (now === 'refuse') provider.refuse(idempotencyKey)
    if (now !== 'throw') provider.pay(idempotencyKey, clock.now(), action.endsWith('SEND') ? honoursForMs : 0)
    await stop('after it has asked the provider')
    if (now === 'throw' || now === 'pay_and_lose_the_answer') throw new Error('the line went dead')
    return { ok: now !== 'pay_and_answer_badly' }
  }
  const gateOf = (stop: (at: string) => Promise<void>): GateOptions => {
    const bound: BoundDomain = { domain: accounts, executorOf: () => executor(stop), loaderOf: () => undefined }
    return { bound, store: stopping(memory.gate, stop), verify: createReviewVerifier(publicKeys), actors: ['bot', 'shop'], verifyMandate: async () => null }
  }
  const gate = gateOf(async () => {})
  const aStep = (): GateStep => ({ namespace: 'default', workflowId: 'workflow', firstExecutionRunId: 'run', runId: 'run', activityId: String(++calls) })

  function start(slot: number, call: Omit<Running, 'run'>): void {
    const { step, of, withdraws, reviews } = call
    const run = stepwise((stop) => (withdraws === null
      ? propose(gateOf(stop), step, action, { entityId, params: {}, actor: 'bot', chain: chain(of), ...(reviews.length === 0 ? {} : { reviews: [...reviews] }) }, timing)
      : withdraw(gateOf(stop), step, { approvalId: withdraws, action, entityId, actor: 'bot', chain: chain(of) })))
    running[slot] = { ...call, run }
    lost[slot] = call
  }
  async function goOn(slot: number): Promise<void> {
    await running[slot]?.run.goOn()
    if (running[slot]?.run.over === true) running[slot] = null
  }
  const keys = [0, 1].map((of) => toProposal(aStep(), accounts.name, action, accounts.actions[action], { entityId, params: {}, actor: 'bot', chain: chain(of) }, { problem: null, onBehalfOf: null, from: null, until: null, mandate: undefined }).executionKey)
  const rounds = () => memory.tables.approvals.all().filter(({ closedSeq }) => closedSeq === null)
  const signed = (approvalId: string) => memory.tables.reviews.all().filter((review) => review.approvalId === approvalId).map(({ jws }) => jws)

  function slotChoices(slot: number): Choice[] {
    const name = slot === 0 ? 'A' : 'B'
    const attempt = running[slot]
    if (attempt !== null && attempt !== undefined) {
      return [
        ...Array.from({ length: 5 }, (): Choice => [`${name} goes on from ${attempt.run.at}`, () => goOn(slot)]),
        [`${name} is lost at ${attempt.run.at}`, async () => { running[slot] = null }],
      ]
    }
    const again = lost[slot] ?? null
    const other = running[1 - slot] ?? null
    const fresh = (of: number, reviews: readonly string[], withdraws: string | null): Choice[1] => async () => start(slot, { step: aStep(), of, withdraws, reviews })
    return [
      [`${name} is handed the proposal`, fresh(0, [], null)],
      [`${name} is handed the proposal that is equal to it`, fresh(1, [], null)],
      ...(again === null ? [] : [[`${name} is handed its last call again`, async () => start(slot, again)] as const]),
      ...(other === null ? [] : [[`${name} is handed the call that the other is at`, async () => start(slot, other)] as const]),
      ...memory.tables.approvals.all().slice(-2).flatMap(({ approvalId, executionKey }): Choice[] => {
        const of = keys.indexOf(executionKey)
        return [
          [`${name} wakes, with what was signed`, fresh(of, signed(approvalId), null)],
          [`${name} wakes, with something forged`, fresh(of, ['forged', ...signed(approvalId)], null)],
          [`${name} is to withdraw its request`, fresh(of, [], approvalId)],
        ]
      }),
    ]
  }

  function peopleChoices(): Choice[] {
    const reviewed = (approvalId: string, verdict: Verdict, reviewer: string): Choice => [`${reviewer} says ${verdict}`, async () => {
      const row = await memory.reviews.show(approvalId)
      return desk.review({ approvalId, digest: row?.digest ?? '', verdict, reviewer, reason: 'because' })
    }]
    return [
      ...rounds().flatMap(({ approvalId }): Choice[] => [
        reviewed(approvalId, 'granted', 'olga'), reviewed(approvalId, 'granted', 'olga'), reviewed(approvalId, 'granted', 'otto'), reviewed(approvalId, 'granted', 'bot'), reviewed(approvalId, 'denied', 'otto'),
        ['olga revokes', () => desk.revoke({ approvalId, reviewer: 'olga', reason: 'no' })],
        ['the service expires what is over', () => closeOverdue()],
      ]),
      ...memory.tables.executions.all().filter(({ status, completionRejected }) => status === 'in_doubt' || completionRejected !== null).flatMap(({ executionKey, ordinal }) => [
        found(executionKey, ordinal, { verdict: 'happened', output: { ok: true } }),
        found(executionKey, ordinal, { verdict: 'happened', output: { ok: 'perhaps' } }),
        found(executionKey, ordinal, { verdict: 'not_happened' }),
        found(executionKey, ordinal, { verdict: 'not_happened' }),
      ]),
      ['the gate applies what people have found', () => applyReconciliations(memory.gate, { bound: gate.bound, verify: createReconciliationVerifier(publicKeys) })],
    ]
  }

  function found(executionKey: string, ordinal: number, said: { readonly verdict: 'happened'; readonly output: unknown } | { readonly verdict: 'not_happened' }): Choice {
    return [`olga finds of ${ordinal}: ${JSON.stringify(said)}`, async () => {
      const row = await desk.showInDoubt(executionKey, ordinal)
      return desk.reconcile({ executionKey, ordinal, digest: row?.digest ?? '', reviewer: 'olga', reason: 'looked it up', ...said })
    }]
  }

  async function closeOverdue(): Promise<void> {
    for (const { request } of await memory.reviews.overdueRounds()) await memory.reviews.closeApproval(approvalBody(request, 'approval_expired', 'kiff', []))
  }

  async function sweep(): Promise<void> {
    for (const overdue of await memory.gate.overdueExecutions('default')) {
      const { executionKey } = overdue
      const body = rowOfOpened(overdue, 'in_doubt', [{ kind: 'action_in_doubt', message: 'outcome unknown', data: { error: 'overdue' } }])
      await memory.gate.markInDoubt({ body, executionKey, token: null })
    }
  }

  /** Busy is an exception, as the server would try again; here another choice does. */
  const event = (type: string): Choice => [`the shop reports ${type}`, () => report(gate, aStep(), { event: type, entityId, payload: {}, actor: 'shop', chain: chain(calls) }).catch(() => null)]
  const role = (kind: 'role_granted' | 'role_revoked', actor: 'bot' | 'olga'): Choice => [`${kind}: ${actor}`, () => memory.changeMembership({ kind, domain: accounts.name, actor, role: members[actor], by: 'test' })]
  /** No worker stalls for so long that its receiver has forgotten the key: nobody could help that. */
  const time = (by: '70 seconds' | '3500 seconds' | '1 hour' | '1 day'): Choice => [`${by} pass`, async () => {
    clock.advance(by)
    for (const [slot, each] of running.entries()) {
      const execution = memory.tables.executions.all().findLast(({ executionKey }) => executionKey === keys[each?.of ?? -1])
      if (each !== null && each.run.isUnderWay && execution?.idempotentUntil != null && execution.idempotentUntil <= clock.now()) running[slot] = null
    }
  }]
  const will = (next: Does): Choice => [`from now on executors ${next}`, async () => { does = next }]

  await event('OPENED')[1]()
  return {
    memory, provider, keys,
    choices() {
      const attempts = [...slotChoices(0), ...slotChoices(1)]
      const often = [['the sweeper looks', sweep] as const, event('TOUCHED'), time('70 seconds'), time('70 seconds'), time('3500 seconds')]
      const rarely = [event('CLOSED'), role('role_revoked', 'bot'), role('role_granted', 'bot'), role('role_granted', 'bot'), role('role_revoked', 'olga'), role('role_granted', 'olga'), role('role_granted', 'olga'), time('1 hour'), time('1 day')]
      const wills = [will('pay'), will('pay'), will('pay_and_lose_the_answer'), will('pay_and_answer_badly'), will('throw'), will('refuse')]
      return [...Array.from({ length: 18 }, () => attempts), ...Array.from({ length: 6 }, peopleChoices), often, often, often, often, often, wills, wills, rarely]
    },
  }
}
