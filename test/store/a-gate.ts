/** The whole gate on any store, with executors that a test writes, one call after the other. */
import { ApplicationFailure } from '@temporalio/common'
import type { ProposalRequest, Step } from '../../src/core/proposal.ts'
import type { GateAnswer, GateStore } from '../../src/core/store.ts'
import type { Executor } from '../../src/gate/binding.ts'
import { propose, type GateOptions } from '../../src/gate/gate.ts'
import { createReviewVerifier } from '../../src/temporal/verify-review.ts'
import { ledgers } from './a-domain.ts'
import { aStep, nextActivity, type Action, type AnyStore } from './the-store.ts'

export interface Calling {
  /** The gate that is called; `theGate` unless told. */
  readonly gate?: Partial<GateOptions>
  /** Before each commit of the gate it is asked for, once: what happens between its read and its write. */
  readonly meanwhile?: () => Promise<unknown>
  readonly reviews?: readonly string[]
  readonly executorMs?: number
  /** When the attempt's own time is over, by the clock on the wall; a second after the executor's unless told. */
  readonly until?: number
  /** The same activity again, as after a lost answer. */
  readonly retry?: boolean
  readonly actor?: string
}

/** One proposal and the calls by which its workflow comes to the gate. */
export interface Proposing {
  readonly step: Step
  readonly entityId: string
  readonly call: (how?: Calling) => Promise<GateAnswer>
  /** The type of the failure with which a call is told to come again. */
  readonly fails: (how?: Calling) => Promise<string | undefined>
}

export interface GateOnStore {
  readonly gate: GateOptions
  /** What every executor does; until told otherwise, it returns `{ ok: true }`. */
  readonly executes: (executor: Executor) => void
  /** The idempotency key of each effect that was begun. */
  readonly effects: readonly string[]
  readonly proposing: (action: string, entityId: string, over?: Partial<ProposalRequest>, step?: Step) => Proposing
}

const done: Executor = async () => ({ ok: true })

/** The gate serves everybody of `ledgers`. */
export function theGate(test: AnyStore): GateOnStore {
  const effects: string[] = []
  let executor: Executor = done
  const gate: GateOptions = {
    bound: {
      domain: ledgers,
      executorOf: (action) => (ledgers.actions[action as Action].effect === 'none' ? undefined : async (context) => {
        effects.push(context.idempotencyKey)
        return executor(context)
      }),
      loaderOf: () => undefined,
    },
    store: test.store, verify: createReviewVerifier(test.publicKeys), actors: ['bot-1', 'bot-2', 'shop'], verifyMandate: async () => null, inboxUrl: 'http://inbox.test/',
  }

  function proposing(action: string, entityId: string, over: Partial<ProposalRequest> = {}, first: Step = { ...aStep(), activityId: '0' }): Proposing {
    let step = first
    const call: Proposing['call'] = async ({ gate: other, meanwhile, reviews, executorMs = 5_000, until, retry = false, actor = 'bot-1' } = {}) => {
      if (!retry) step = nextActivity(step)
      const chain = { firstExecutionRunId: step.firstExecutionRunId, generation: 0, occurrence: 0 }
      const request: ProposalRequest = { entityId, params: { note: 'hello' }, actor, chain, ...over, ...(reviews === undefined ? {} : { reviews: [...reviews] }) }
      const options = { ...gate, ...other }
      const timing = () => ({ executorMs, leaseMs: executorMs + 500, until: until ?? Date.now() + executorMs + 1_000 })
      return propose(meanwhile === undefined ? options : { ...options, store: interrupted(options.store, meanwhile) }, step, action, request, timing)
    }
    const fails: Proposing['fails'] = async (how) => {
      const answer = await call(how).catch((error: unknown) => error)
      return answer instanceof ApplicationFailure ? (answer.type ?? undefined) : JSON.stringify(answer)
    }
    return { step: first, entityId, call, fails }
  }

  return {
    gate, effects, proposing,
    executes(given) {
      executor = given
    },
  }
}

/** The same store, in which something happens after the first reading of the facts. */
function interrupted(store: GateStore, meanwhile: () => Promise<unknown>): GateStore {
  let happened = false
  return {
    ...store,
    async readFacts(query) {
      const facts = await store.readFacts(query)
      if (!happened) {
        happened = true
        await meanwhile()
      }
      return facts
    },
  }
}

/** The signed reviews of an approval, as they arrive by signal. */
export async function signaturesOf(test: AnyStore, approvalId: string): Promise<readonly string[]> {
  const facts = (await test.reviews.dueDeliveries()).find((due) => due.approvalId === approvalId)
  return facts?.reviews ?? []
}

/** The id of the approval that was asked for. @throws Error when nobody was */
export function askedIn(answer: GateAnswer): string {
  if (answer.outcome !== 'approval_required') throw new Error(`nobody was asked: ${JSON.stringify(answer)}`)
  return answer.approvalId
}
