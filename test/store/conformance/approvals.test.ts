import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canonical } from '../../../src/core/canonical.ts'
import { digestOf } from '../../../src/core/digest.ts'
import type { Closing } from '../../../src/core/store.ts'
import { guardOf, rowOf, type GovernedProposal } from '../../../src/gate/proposal.ts'
import { again, aProposal, theStore, blocked, requestOf, lastRow, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

const anAsk = async (): Promise<GovernedProposal> => aProposal(await it.anAccount(), { action: 'ASK' })

/** Records an answer that closes a round, by default in the next activity of the same run. */
async function close(closing: Closing, by: GovernedProposal): Promise<Awaited<ReturnType<AnyStore['refuse']>>> {
  const proposal = again(by)
  const facts = await it.facts(proposal)
  return it.store.recordAnswer({ body: rowOf(proposal, facts, 'refused', [], { approvalId: closing.approvalId }), answer: blocked, guard: guardOf(facts), closing })
}

const statusOf = async (proposal: GovernedProposal) => {
  const { approval } = await it.facts(again(again(again(proposal))))
  return approval === null ? null : { status: approval.status, closed: approval.closed }
}

describe('asking', () => {
  test('opens a round whose stored text is what a person signs, to the last character', async () => {
    const proposal = await anAsk()
    const approvalId = await it.asked(proposal)
    const row = await it.reviews.show(approvalId)
    const { approval } = await it.facts(again(proposal))
    expect(approval).toMatchObject({ approvalId, status: 'pending', closed: false, reviews: [], proposalDigest: proposal.proposalDigest })
    expect(approval?.request).toBe(canonical(row?.request))
    expect(row?.digest).toBe(digestOf(row?.request))
  })

  test('deadlines are told in time left by the database\'s clock', async () => {
    const proposal = await anAsk()
    const approvalId = await it.asked(proposal)
    const { approval } = await it.facts(again(proposal))
    expect(approval?.answerRemainingMs).toBeGreaterThan(1_000)
    expect(approval?.useRemainingMs).toBeGreaterThan(approval?.answerRemainingMs ?? 0)
    await it.later({ approval: approvalId })
    expect((await it.facts(again(proposal))).approval?.answerRemainingMs).toBeLessThan(0)
  })

  test('a second round is refused while the first is open, and nothing is written', async () => {
    const proposal = await anAsk()
    await it.asked(proposal)
    const before = await it.ledgerLength()
    expect(await it.ask(again(proposal), { round: 2 })).toBe('stale')
    expect(await it.ledgerLength()).toBe(before)
  })

  test('voiding a round and opening the next is one commit', async () => {
    const proposal = await anAsk()
    const first = await it.asked(proposal)
    const before = await it.ledgerLength()
    expect(await it.ask(again(proposal), { round: 2, voids: first })).toMatchObject({ outcome: 'approval_required', round: 2 })
    expect(await it.ledgerLength()).toBe(before + 1)
    expect((await it.reviews.show(first))?.status).toBe('void')
  })

  test('a round\'s number is used once: a second first round is refused, and nothing is written', async () => {
    const proposal = await anAsk()
    await it.review(await it.asked(proposal), 'denied', 'olga')
    const before = await it.ledgerLength()
    expect(await it.ask(again(proposal), { round: 1 })).toBe('stale')
    expect(await it.ledgerLength()).toBe(before)
  })

  test('voiding what there is not is refused, and nothing is written', async () => {
    const proposal = await anAsk()
    const before = await it.ledgerLength()
    await expect(it.ask(proposal, { voids: '00000000-0000-4000-8000-000000000000' })).rejects.toMatchObject({ code: 'P0002' })
    expect(await it.ledgerLength()).toBe(before)
  })

  test('more than three rounds are refused by the table itself', async () => {
    const proposal = await anAsk()
    const first = await it.asked(proposal)
    await expect(it.ask(again(proposal), { round: 4, voids: first })).rejects.toMatchObject({ code: '23514' })
    expect(await statusOf(proposal)).toEqual({ status: 'pending', closed: false })
  })
})

describe('a grant', () => {
  test('is consumed in the commit that opens the execution', async () => {
    const proposal = await anAsk()
    const approvalId = await it.granted(proposal)
    const opened = await it.open(again(proposal), { approvalId })
    expect(opened.status).toBe('committed')
    expect(await statusOf(proposal)).toEqual({ status: 'consumed', closed: true })
    expect(await lastRow(it, proposal.request.entityId)).toMatchObject({ kind: 'opened', execution_key: proposal.executionKey, approval_id: approvalId })
  })

  test('is consumed by an action without an effect in its one commit', async () => {
    const proposal = await anAsk()
    const approvalId = await it.granted(proposal)
    expect(await it.pure(again(proposal), { approvalId })).toMatchObject({ status: 'committed' })
    expect(await statusOf(proposal)).toEqual({ status: 'consumed', closed: true })
  })

  test.each<[string, (entityId: string, asked: GovernedProposal) => GovernedProposal]>([
    ['another action', (entityId, asked) => aProposal(entityId, { action: 'NEVER_ALONE', step: asked.step })],
    ['other parameters', (entityId, asked) => aProposal(entityId, { action: 'ASK', step: asked.step, note: 'another' })],
    ['another actor', (entityId, asked) => aProposal(entityId, { action: 'ASK', step: asked.step, actor: 'bot-2' })],
    ['another workflow', (entityId) => aProposal(entityId, { action: 'ASK' })],
  ])('opens nothing else under the key it was given for: %s', async (_, anotherOf) => {
    const asked = aProposal(await it.anAccount(), { action: 'ASK' })
    const approvalId = await it.granted(asked)
    const other = { ...anotherOf(asked.request.entityId, asked), executionKey: asked.executionKey }
    expect(await it.open(again(other), { approvalId })).toEqual({ status: 'stale' })
    expect(await it.open(again(asked), { approvalId })).toMatchObject({ status: 'committed' })
  })

  test('is used once: after a definitive failure a new attempt needs a new one', async () => {
    const proposal = await anAsk()
    const approvalId = await it.granted(proposal)
    const opened = await it.open(again(proposal), { approvalId })
    await it.complete(again(proposal), { status: 'failed', token: Reflect.get(opened, 'token') as string })
    expect(await it.open(again(again(proposal)), { approvalId })).toEqual({ status: 'stale' })
  })

  const unusable: readonly (readonly [string, (proposal: GovernedProposal) => Promise<string>])[] = [
    ['nobody has answered', async (proposal) => it.asked(proposal)],
    ['that is a denial', async (proposal) => {
      const approvalId = await it.asked(proposal)
      await it.review(approvalId, 'denied', 'olga')
      return approvalId
    }],
    ['whose time to use it is over', async (proposal) => {
      const approvalId = await it.granted(proposal)
      await it.later({ approval: approvalId })
      return approvalId
    }],
    ['that was given for another proposal', async () => it.granted(await anAsk())],
    ['that was withdrawn', async (proposal) => {
      const approvalId = await it.granted(proposal)
      await close({ approvalId, status: 'withdrawn' }, proposal)
      return approvalId
    }],
    ['that never was asked for', async () => '00000000-0000-4000-8000-000000000000'],
  ]

  describe.each(unusable)('%s', (_, given) => {
    test('opens nothing, and nothing is written', async () => {
      const proposal = await anAsk()
      const approvalId = await given(proposal)
      const before = await it.ledgerLength()
      const next = again(again(proposal))
      expect(await it.open(next, { approvalId })).toEqual({ status: 'stale' })
      expect(await it.pure(next, { approvalId })).toEqual({ status: 'stale' })
      expect(await it.ledgerLength()).toBe(before)
    })
  })

  test('of a reviewer who has lost the role since opens nothing', async () => {
    const proposal = await anAsk()
    const approvalId = await it.asked(proposal)
    await it.review(approvalId, 'granted', 'otto')
    await it.revoke('otto', 'reviewer')
    expect((await it.facts(again(proposal))).approval?.reviews).toMatchObject([{ reviewer: 'otto', permitted: false }])
    expect(await it.open(again(proposal), { approvalId })).toEqual({ status: 'stale' })
    await it.grant('otto', 'reviewer')
  })
})

describe('ending a round', () => {
  test('as expired is refused before its time by the database\'s clock', async () => {
    const proposal = await anAsk()
    const approvalId = await it.asked(proposal)
    await expect(close({ approvalId, status: 'expired' }, proposal)).rejects.toThrow('has not expired')
    expect(await statusOf(proposal)).toEqual({ status: 'pending', closed: false })
  })

  test('as expired is refused for a grant that may still be used, though the time to answer is over', async () => {
    const proposal = await anAsk()
    const approvalId = await it.granted(proposal)
    await it.later({ answer: approvalId })
    await expect(close({ approvalId, status: 'expired' }, proposal)).rejects.toThrow('has not expired')
  })

  test('as expired is taken once it is', async () => {
    const proposal = await anAsk()
    const approvalId = await it.asked(proposal)
    await it.later({ approval: approvalId })
    expect(await close({ approvalId, status: 'expired' }, proposal)).toMatchObject({ status: 'committed' })
    expect(await statusOf(proposal)).toEqual({ status: 'expired', closed: true })
  })

  test('as expired is taken once the time to answer is over, though it could still be used', async () => {
    const proposal = await anAsk()
    const approvalId = await it.asked(proposal)
    await it.later({ answer: approvalId })
    expect(await close({ approvalId, status: 'expired' }, proposal)).toMatchObject({ status: 'committed' })
  })

  test('as denied is refused where no person has denied', async () => {
    const proposal = await anAsk()
    const approvalId = await it.asked(proposal)
    await expect(close({ approvalId, status: 'denied' }, proposal)).rejects.toThrow('is not denied')
  })

  test('as denied keeps the denial', async () => {
    const proposal = await anAsk()
    const approvalId = await it.asked(proposal)
    await it.review(approvalId, 'denied', 'olga')
    await close({ approvalId, status: 'denied' }, proposal)
    expect(await statusOf(proposal)).toEqual({ status: 'denied', closed: true })
  })

  test('as withdrawn keeps a denial: it goes on refusing', async () => {
    const proposal = await anAsk()
    const approvalId = await it.asked(proposal)
    await it.review(approvalId, 'denied', 'olga')
    await close({ approvalId, status: 'withdrawn' }, proposal)
    expect(await statusOf(proposal)).toEqual({ status: 'denied', closed: true })
  })

  test('as withdrawn keeps a revocation', async () => {
    const proposal = await anAsk()
    const approvalId = await it.granted(proposal)
    await it.desk.revoke({ approvalId, reviewer: 'olga', reason: 'too early' })
    await close({ approvalId, status: 'withdrawn' }, proposal)
    expect(await statusOf(proposal)).toEqual({ status: 'revoked', closed: true })
  })

  test.each(['void', 'expired'] as const)('as %s is refused after a denial', async (status) => {
    const proposal = await anAsk()
    const approvalId = await it.asked(proposal)
    await it.review(approvalId, 'denied', 'olga')
    await it.later({ approval: approvalId })
    await expect(close({ approvalId, status }, proposal)).rejects.toThrow('is denied')
  })

  test('as revoked is refused where nobody has revoked it', async () => {
    const proposal = await anAsk()
    const approvalId = await it.granted(proposal)
    await expect(close({ approvalId, status: 'revoked' }, proposal)).rejects.toThrow('is not revoked')
  })

  test.each(['consumed', 'granted', 'pending'])('as %s is not for the gate', async (status) => {
    const proposal = await anAsk()
    const approvalId = await it.asked(proposal)
    await expect(close({ approvalId, status: status as 'void' }, proposal)).rejects.toThrow(`a round cannot be closed as ${status}`)
  })

  test('happens once', async () => {
    const proposal = await anAsk()
    const approvalId = await it.asked(proposal)
    await close({ approvalId, status: 'withdrawn' }, proposal)
    expect(await close({ approvalId, status: 'void' }, again(proposal))).toEqual({ status: 'stale' })
  })

  test('happens once, also where the status stays what it was', async () => {
    const proposal = await anAsk()
    const approvalId = await it.asked(proposal)
    await it.review(approvalId, 'denied', 'olga')
    await close({ approvalId, status: 'denied' }, proposal)
    expect(await close({ approvalId, status: 'denied' }, again(proposal))).toEqual({ status: 'stale' })
  })

  test('is refused to another workflow, even about the same entity', async () => {
    const proposal = await anAsk()
    const approvalId = await it.asked(proposal)
    const other = aProposal(proposal.request.entityId, { action: 'ASK' })
    await expect(close({ approvalId, status: 'withdrawn' }, other)).rejects.toThrow('is not of this workflow')
    expect(await statusOf(proposal)).toEqual({ status: 'pending', closed: false })
  })

  test.each(['namespace', 'workflowId', 'firstExecutionRunId'] as const)('is refused to a workflow that differs in nothing but its %s', async (field) => {
    const proposal = await anAsk()
    const approvalId = await it.asked(proposal)
    await expect(close({ approvalId, status: 'withdrawn' }, { ...proposal, step: { ...proposal.step, [field]: 'another' } })).rejects.toThrow('is not of this workflow')
  })

  test('is refused to the same workflow in the name of another entity', async () => {
    const proposal = await anAsk()
    const approvalId = await it.asked(proposal)
    const other = aProposal(await it.anAccount(), { action: 'ASK', step: proposal.step })
    await expect(close({ approvalId, status: 'withdrawn' }, other)).rejects.toThrow('is not of this workflow')
  })

  test('of another workflow by asking anew is refused as well', async () => {
    const proposal = await anAsk()
    const approvalId = await it.asked(proposal)
    await expect(it.ask(aProposal(proposal.request.entityId, { action: 'ASK' }), { voids: approvalId })).rejects.toThrow('is not of this workflow')
  })
})

const equal = ({ request, step }: GovernedProposal, over: Parameters<typeof aProposal>[1] = {}): GovernedProposal => aProposal(request.entityId, { action: 'ASK', step, occurrence: 1, ...over })

const denied = async (): Promise<GovernedProposal> => {
  const proposal = await anAsk()
  await it.review(await it.asked(proposal), 'denied', 'olga')
  return proposal
}

describe('a denial', () => {
  test('is among the facts of a later equal proposal of the run chain', async () => {
    expect((await it.facts(equal(await denied()))).denied).toEqual({ reviewer: 'olga', reason: 'because' })
  })

  test('still is after a reset: another run, the same first run', async () => {
    const proposal = await denied()
    expect((await it.facts(equal(proposal, { step: { ...proposal.step, runId: 'after-a-reset' } }))).denied).not.toBeNull()
  })

  test('does not touch another proposal, nor another workflow', async () => {
    const proposal = await denied()
    expect((await it.facts(equal(proposal, { note: 'something else' }))).denied).toBeNull()
    expect((await it.facts(equal(proposal, { step: { ...proposal.step, workflowId: 'another' } }))).denied).toBeNull()
  })

  test('is bound to the request that was denied', async () => {
    const proposal = await denied()
    const { approval } = await it.facts(again(proposal))
    expect(await requestOf(it, approval?.approvalId ?? '')).toMatchObject({ action: 'ASK', actor: 'bot-1', params: { note: 'hello' }, round: 1 })
  })
})
