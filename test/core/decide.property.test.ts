/** What the gate does about one proposal, whatever the facts are: said a second time, and in other words. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ApprovalStatus } from '../../src/core/approval.ts'
import type { Decided } from '../../src/gate/decide.ts'
import { approval, decided, execution, type Asked } from './a-decision.ts'
import { aContract } from './an-account.ts'

type Executed = 'none' | 'reserved' | 'succeeded' | 'failed' | 'in_doubt' | 'unacceptable' | 'contradicted'

interface World {
  readonly proven: boolean
  readonly permitted: boolean
  readonly bound: boolean
  readonly rule: 'asks' | 'asks nobody'
  /** Under the very key: of this proposal, or of another one; by this actor, or by another one. */
  readonly executed: Executed
  readonly executedBy: 'same' | 'another'
  readonly executedWhat: 'same' | 'another'
  readonly round: 'none' | ApprovalStatus
  readonly roundOf: 'this chain' | 'another chain'
  readonly roundWhat: 'same' | 'another'
  readonly roundClosed: boolean
  /** An equal proposal of this run chain. */
  readonly denied: boolean
  /** What another key has left on the entity. */
  readonly holder: 'none' | 'open' | 'in doubt'
}

const mostly = <T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> => fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) })

const world: fc.Arbitrary<World> = fc.record({
  proven: mostly(true, false), permitted: mostly(true, false), bound: mostly(true, false), rule: fc.constantFrom('asks', 'asks nobody'),
  executed: mostly<Executed>('none', 'reserved', 'succeeded', 'failed', 'in_doubt', 'unacceptable', 'contradicted'),
  executedBy: mostly<World['executedBy']>('same', 'another'), executedWhat: mostly<World['executedWhat']>('same', 'another'),
  round: mostly<World['round']>('none', 'pending', 'granted', 'denied', 'expired', 'revoked', 'withdrawn', 'void', 'consumed'),
  roundOf: mostly<World['roundOf']>('this chain', 'another chain'), roundWhat: mostly<World['roundWhat']>('same', 'another'), roundClosed: fc.boolean(),
  denied: mostly(false, true), holder: mostly<World['holder']>('none', 'open', 'in doubt'),
})

function asked(of: World): Asked {
  const known = {
    ...(of.executedBy === 'another' ? { actor: 'bot-2' } : {}), ...(of.executedWhat === 'another' ? { proposalDigest: 'other' } : {}),
    ...(of.executed === 'unacceptable' ? { completionRejected: 'too large' } : {}), contradicted: of.executed === 'contradicted',
  }
  const status = of.executed === 'unacceptable' ? 'succeeded' : of.executed === 'contradicted' ? 'failed' : of.executed
  const request = JSON.stringify({ namespace: 'default', workflow_id: of.roundOf === 'this chain' ? 'ticket-1' : 'ticket-2', first_execution_run_id: 'run-1' })
  return {
    bound: of.bound, contract: aContract(of.rule === 'asks' ? { rule: () => 'always' } : {}), ...(of.proven ? {} : { problem: 'nobody' }),
    facts: {
      permissions: of.permitted ? ['accounts.note'] : [],
      execution: status === 'none' ? null : execution({ status, ...known }),
      approval: of.round === 'none' ? null : approval(of.round, { request, closed: of.roundClosed, ...(of.roundWhat === 'another' ? { proposalDigest: 'other' } : {}) }),
      denied: of.denied ? { reviewer: 'maria', reason: 'no' } : null,
      holder: of.holder === 'none' ? null : execution({ executionKey: 'other', status: of.holder === 'open' ? 'reserved' : 'in_doubt', leaseRemainingMs: 5 }),
    },
  }
}

/** Everything that has to be so before anything is begun, or anybody asked. */
const mayBegin = (of: World): boolean =>
  of.proven && of.permitted && of.bound && of.holder === 'none'
  && (of.executed === 'none' || (of.executed === 'failed' && of.executedWhat === 'same'))
  && (of.round === 'none' || of.roundWhat === 'same')
  // The denial of this key's own round is judged with it.
  && (!of.denied || of.round === 'denied')

const saidNo = ({ round }: World): boolean => round === 'denied' || round === 'revoked'

const each = (check: (of: World, decided: Decided) => void): Promise<void> =>
  fc.assert(fc.asyncProperty(world, async (of) => check(of, await decided(asked(of)))), { numRuns: 3_000 })

test('it is executed exactly when it may begin, nobody has to agree, and nobody has said no', async () => {
  const seen = { execute: 0, consent: 0 }
  await each((of, { do: done }) => {
    expect(done === 'execute').toBe(mayBegin(of) && of.rule === 'asks nobody' && !saidNo(of))
    expect(done === 'consent').toBe(mayBegin(of) && of.rule === 'asks')
    if (done === 'execute' || done === 'consent') seen[done] += 1
  })
  expect(Math.min(seen.execute, seen.consent)).toBeGreaterThan(100)
})

test('it is answered again, or taken up, only for the one who proposed it, and only what was proposed', async () => {
  await each((of, { do: done }) => {
    const own = of.proven && of.executedBy === 'same' && of.executedWhat === 'same' && (of.round === 'none' || of.roundWhat === 'same')
    expect(done === 'repeat').toBe(own && of.executed === 'succeeded')
    expect(done === 'take_up').toBe(own && of.executed === 'reserved')
  })
})

test('a proposal that is refused, and of which nothing is under way, leaves no request open that its run chain has made', async () => {
  const asking = fc.record({ of: world, round: fc.constantFrom('pending', 'granted'), executed: fc.constantFrom('none', 'failed') })
    .map(({ of, round, executed }): World => ({ ...of, round, executed, roundOf: 'this chain', roundWhat: 'same', executedWhat: 'same' }))
  let refused = 0
  await fc.assert(fc.asyncProperty(asking, async (of) => {
    const decision = await decided(asked(of))
    if (decision.do !== 'refuse') return
    refused += 1
    expect(decision.closing).toEqual({ approvalId: 'a-1', status: 'void' })
  }), { numRuns: 1_000 })
  expect(refused).toBeGreaterThan(100)
})

test('a round is ended only by the run chain that has asked, only while it is open, and as what a person has made of it', async () => {
  await each((of, decision) => {
    const closing = decision.do === 'refuse' ? decision.closing : undefined
    if (closing === undefined) return
    expect(of.roundOf).toBe('this chain')
    expect(closing.status).toBe(of.round === 'denied' || of.round === 'revoked' ? of.round : 'void')
    expect(of.round === 'pending' || of.round === 'granted' || !of.roundClosed).toBe(true)
  })
})
