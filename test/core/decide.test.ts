/** What the gate does about one proposal, fact by fact: each of these is read from the store, and none comes with the proposal. */
import { describe, expect, test } from 'vitest'
import type { ApprovalFacts } from '../../src/core/approval.ts'
import type { ExecutionFacts } from '../../src/core/execution.ts'
import type { Facts } from '../../src/core/store.ts'
import { approval, decided, execution, type Asked } from './a-decision.ts'
import { aContract } from './an-account.ts'

const refused = (reason: string): object => ({ do: 'refuse', refusal: { reason } })
const asks = aContract({ rule: () => 'always' })

test('what nothing stands against is executed, or a person asked', async () => {
  expect(await decided()).toMatchObject({ do: 'execute', action: { params: { note: 'hello' } } })
  expect(await decided({ contract: asks })).toMatchObject({ do: 'consent', decision: { rule: 'always' } })
})

test('what the judgement refuses is refused, in its words', async () => {
  expect(await decided({ facts: { permissions: [] } })).toMatchObject(refused('permission_denied'))
})

describe('what was decided before under the same key', () => {
  test.each<[string, Partial<Facts>, object]>([
    ['a success is answered again', { execution: execution() }, { do: 'repeat' }],
    ['an open execution is taken up', { execution: execution({ status: 'reserved' }) }, { do: 'take_up' }],
    ['an unknown outcome stays unknown', { execution: execution({ status: 'in_doubt' }) }, refused('outcome_unknown')],
    ['a success whose result could not be accepted is no success', { execution: execution({ completionRejected: 'too large' }) }, refused('outcome_unknown')],
    ['a definitive failure may be tried again', { execution: execution({ status: 'failed' }) }, { do: 'execute' }],
    ['a definitive failure may be tried again by another actor', { execution: execution({ status: 'failed', actor: 'bot-2' }) }, { do: 'execute' }],
    ['a failure that turned out to be none stays unknown', { execution: execution({ status: 'failed', contradicted: true }) }, refused('outcome_unknown')],
    ['is told to no other actor', { execution: execution({ actor: 'bot-2' }) }, refused('permission_denied')],
    ['is told to nobody who acts for another person', { execution: execution({ onBehalfOf: 'customer-8' }) }, refused('permission_denied')],
    ['an execution of another proposal is a conflict', { execution: execution({ proposalDigest: 'other' }) }, refused('invalid_parameter')],
    ['a request for another proposal is a conflict', { approval: approval('pending', { proposalDigest: 'other' }) }, refused('invalid_parameter')],
    ['one that is open is taken up, though an equal proposal has been denied since', { execution: execution({ status: 'reserved' }), denied: { reviewer: 'maria', reason: 'no' } }, { do: 'take_up' }],
    ['the denial of an equal proposal stands', { denied: { reviewer: 'maria', reason: 'no' } }, refused('approval_denied')],
  ])('%s', async (_, facts, then) => {
    expect(await decided({ facts })).toMatchObject(then)
  })

  test('the denial of an equal proposal ends its own round', async () => {
    const facts = { denied: { reviewer: 'maria', reason: 'no' }, approval: approval('pending') }
    expect(await decided({ facts, contract: asks })).toMatchObject({ ...refused('approval_denied'), closing: { approvalId: 'a-1', status: 'void' } })
  })

  test('the denial of its own round is judged with that round, which it closes', async () => {
    const facts = { denied: { reviewer: 'maria', reason: 'no' }, approval: approval('denied') }
    expect(await decided({ facts, contract: asks })).toMatchObject({ do: 'consent' })
  })

  test.each([execution(), execution({ status: 'reserved' }), execution({ status: 'in_doubt' })])('is not told to one who is only named (%#)', async (known) => {
    expect(await decided({ facts: { execution: known }, problem: 'bot-1 is nobody' })).toMatchObject(refused('actor_unproven'))
  })
})

describe('what else holds the entity', () => {
  const other = { executionKey: 'other' }

  test('an open execution is waited for, as long as its lease lasts', async () => {
    expect(await decided({ facts: { holder: execution({ ...other, status: 'reserved', leaseRemainingMs: 700 }) } })).toEqual({ do: 'wait', leaseRemainingMs: 700 })
  })

  test.each<[string, Partial<ExecutionFacts>]>([
    ['an outcome that nobody knows', { status: 'in_doubt' }],
    ['a result that could not be accepted', { completionRejected: 'too large' }],
  ])('%s withholds until a person has looked', async (_, holds) => {
    expect(await decided({ facts: { holder: execution({ ...other, ...holds }) } })).toMatchObject(refused('outcome_unknown'))
    expect(await decided({ facts: { holder: execution({ ...other, ...holds }) }, contract: asks })).toMatchObject(refused('outcome_unknown'))
  })
})

describe('without an executor', () => {
  test('an action with an effect is refused before anything is opened', async () => {
    expect(await decided({ bound: false })).toMatchObject(refused('executor_missing'))
  })

  test('an action without an effect needs none', async () => {
    expect(await decided({ bound: false, contract: { ...aContract(), effect: 'none' } })).toMatchObject({ do: 'execute' })
  })
})

describe('the round of a proposal that is refused meanwhile', () => {
  const refusals: readonly [string, Asked][] = [
    ['by the judgement', { facts: { permissions: [] } }],
    ['for want of an executor', { bound: false }],
    ['behind an unknown outcome', { facts: { holder: execution({ executionKey: 'other', status: 'in_doubt' }) } }],
  ]

  describe.each(refusals)('%s', (_, asked) => {
    const closing = async (round: ApprovalFacts): Promise<unknown> => Reflect.get(await decided({ ...asked, facts: { ...asked.facts, approval: round } }), 'closing')

    test.each(['pending', 'granted'] as const)('is void while it is %s', async (status) => {
      expect(await closing(approval(status))).toEqual({ approvalId: 'a-1', status: 'void' })
    })

    test.each(['denied', 'revoked'] as const)('is recorded as %s', async (status) => {
      expect(await closing(approval(status))).toEqual({ approvalId: 'a-1', status })
    })

    test.each(['denied', 'revoked'] as const)('is not recorded as %s twice', async (status) => {
      expect(await closing(approval(status, { closed: true }))).toBeUndefined()
    })

    test.each(['expired', 'withdrawn', 'void', 'consumed'] as const)('stays %s', async (status) => {
      expect(await closing(approval(status))).toBeUndefined()
    })

    test.each(['namespace', 'workflow_id', 'first_execution_run_id'])('is not theirs to end when it was asked for in another (%s)', async (field) => {
      const request = JSON.stringify({ namespace: 'default', workflow_id: 'ticket-1', first_execution_run_id: 'run-1', [field]: 'other' })
      expect(await closing(approval('pending', { request }))).toBeUndefined()
    })
  })
})
