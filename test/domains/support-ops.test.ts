import { testDomain, type Scene } from 'kiff-temporal/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { supportOps } from '../../domains/support-ops/domain.ts'

let scene: Scene<typeof supportOps>
beforeEach(async () => {
  scene = await testDomain(supportOps, {
    members: { 'support-agent-1': 'support-agent', 'help-desk': 'help-desk', lena: 'support-lead', omar: 'support-lead' },
    executors: { ISSUE_REFUND: ({ facts }) => ({ refundId: `refund-on-${facts.ticket.orderId}` }), SEND_OUTREACH: { messageId: 'm-1' } },
    loaders: { consent: ({ facts }) => ({ email: facts.ticket.customerId === 'cust-2', sms: false }) },
  })
})

/** A ticket of customer cust-<n>, in state TRIAGED. */
async function triaged(n: number): Promise<string> {
  const id = `ticket-${n}`
  await scene.given('Ticket', id, [['TICKET_OPENED', { customerId: `cust-${n}`, orderId: `order-${n}` }], ['TICKET_TRIAGED', { category: 'refund' }]])
  return id
}
const propose = (action: string, ticket: string, params: unknown) => scene.propose('support-agent-1', action, ticket, params)
const refund = (ticket: string, amountCents: unknown) => propose('ISSUE_REFUND', ticket, { amountCents, reason: 'late' })
const write = (ticket: string, channel: string, more: Readonly<Record<string, unknown>> = {}) => propose('SEND_OUTREACH', ticket, { channel, message: 'Dear customer', ...more })
/** Where it ended, and after how many events. */
const ended = (ticket: string) => [scene.state('Ticket', ticket), scene.timeline(ticket).filter(({ kind }) => kind === 'event_ingested').length]
const kinds = (ticket: string) => scene.timeline(ticket).map(({ kind }) => kind)

describe("KIFF's batch of tickets", () => {
  test('1: a small refund is paid at once', async () => {
    const ticket = await triaged(1)
    expect(await refund(ticket, 1_500)).toMatchObject({ outcome: 'allowed', output: { refundId: 'refund-on-order-1' } })
    expect(ended(ticket)).toEqual(['TRIAGED', 3])
  })

  test('2: a larger one waits for a person, and is paid when they agree', async () => {
    const ticket = await triaged(2)
    const asked = await refund(ticket, 9_900)
    expect(asked).toMatchObject({ outcome: 'approval_required', rule: '€99.00 is above the single-refund ceiling of €50.00' })
    expect(await scene.granted(asked, { by: 'lena' })).toMatchObject({ outcome: 'allowed' })
    expect(ended(ticket)).toEqual(['TRIAGED', 3])
    expect(scene.effects).toHaveLength(1)
  })

  test('3: a message that the customer has not agreed to is forbidden, and nobody is asked', async () => {
    const ticket = await triaged(3)
    expect(await write(ticket, 'email')).toMatchObject({ outcome: 'blocked', reason: 'forbidden', message: 'cust-3 has not agreed to be written to by email' })
    expect(kinds(ticket)).not.toContain('approval_recorded')
    expect(ended(ticket)).toEqual(['TRIAGED', 2])
  })

  test('4: a ticket can be handed to a person', async () => {
    const ticket = await triaged(4)
    expect(await propose('ESCALATE_TO_HUMAN', ticket, { reason: 'beyond me' })).toMatchObject({ outcome: 'allowed' })
    expect(ended(ticket)).toEqual(['AWAITING_HUMAN', 3])
  })

  test('5: one that a person has resolved can be closed', async () => {
    const ticket = await triaged(5)
    expect(await scene.report('lena', 'TICKET_RESOLVED', ticket, { how: 'called them' })).toMatchObject({ outcome: 'allowed' })
    expect(await propose('CLOSE_TICKET', ticket, {})).toMatchObject({ outcome: 'allowed' })
    expect(ended(ticket)).toEqual(['CLOSED', 4])
  })

  test('a new ticket is sorted first', async () => {
    await scene.report('help-desk', 'TICKET_OPENED', 'ticket-6', { customerId: 'cust-6', orderId: 'order-6' })
    expect(await refund('ticket-6', 100)).toMatchObject({ reason: 'state_not_allowed' })
    expect(await propose('TRIAGE_TICKET', 'ticket-6', { category: 'refund' })).toMatchObject({ outcome: 'allowed' })
    expect(await refund('ticket-6', 100)).toMatchObject({ outcome: 'allowed' })
  })
})

describe('the ceilings stand in the contract', () => {
  test.each([[5_000, 'allowed'], [5_001, 'approval_required']])('a single refund of %i: %s', async (cents, outcome) => {
    expect(await refund(await triaged(1), cents)).toMatchObject({ outcome })
  })

  test('many small refunds come to the ceiling of the ticket, which is counted from what was recorded', async () => {
    const ticket = await triaged(1)
    for (let n = 0; n < 4; n++) expect(await refund(ticket, 5_000)).toMatchObject({ outcome: 'allowed' })
    expect(await refund(ticket, 1)).toMatchObject({ outcome: 'approval_required', rule: 'it brings the refunds on this ticket to €200.01, above the ceiling of €200.00' })
    expect(await refund(await triaged(2), 1)).toMatchObject({ outcome: 'allowed' })
  })

  test('consent to a refund is void when another one has been paid meanwhile', async () => {
    const ticket = await triaged(1)
    const asked = await refund(ticket, 9_900)
    await refund(ticket, 1_000)
    expect(await scene.granted(asked, { by: 'lena' })).toMatchObject({ outcome: 'approval_required', round: 2 })
    expect(scene.effects).toHaveLength(1)
  })

  test.each(['AUTO_REFUND', 'ISSUE_REFUND_SMALL', 'REFUND_ISSUED'])('weak point 8: there is no twin %s to call instead', async (twin) => {
    expect(await propose(twin, await triaged(1), { amountCents: 99_999_999, reason: 'x' })).toMatchObject({ outcome: 'invalid', reason: 'unknown_action' })
    expect(scene.effects).toEqual([])
  })

  test('weak point 8: only one action refunds, and the largest amount there is asks', async () => {
    expect(Object.entries(supportOps.actions).filter(([, { emits }]) => emits.includes('REFUND_ISSUED')).map(([name]) => name)).toEqual(['ISSUE_REFUND'])
    expect(await refund(await triaged(1), 99_999_999)).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expect(await refund(await triaged(2), 10_000_000)).toMatchObject({ outcome: 'approval_required' })
    expect(scene.effects).toEqual([])
  })

  test.each(['9900', 9_900.5, -9_900, 1e300, null])('weak point 24: an amount of %o is not an amount', async (amount) => {
    expect(await refund(await triaged(1), amount)).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expect(scene.effects).toEqual([])
  })
})

describe('outreach', () => {
  test('is approved by a person, and goes by the channel the customer agreed to', async () => {
    const ticket = await triaged(2)
    const asked = await write(ticket, 'email')
    expect(asked).toMatchObject({ outcome: 'approval_required', summary: 'Send cust-2 this email: Dear customer' })
    expect(await scene.granted(asked, { by: 'lena' })).toMatchObject({ outcome: 'allowed', output: { messageId: 'm-1' } })
    expect(await write(ticket, 'sms')).toMatchObject({ reason: 'forbidden' })
  })

  test.each([{ consent_verified: true }, { consent: { email: true, sms: true } }, { customerId: 'cust-2' }])('weak point 9: saying so is no consent (%o)', async (claim) => {
    expect(await write(await triaged(3), 'email', claim)).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expect(scene.effects).toEqual([])
  })

  test('is not sent when the customer has withdrawn their consent while a person thought', async () => {
    const ticket = await triaged(2)
    const asked = await write(ticket, 'email')
    scene.loads('consent', { email: false, sms: false })
    expect(await scene.granted(asked, { by: 'lena' })).toMatchObject({ outcome: 'blocked', reason: 'forbidden' })
    expect(scene.effects).toEqual([])
  })

  test('consent binds the state and the facts: a reply of the customer does not void it, another fact does', async () => {
    const ticket = await triaged(2)
    const asked = await write(ticket, 'email')
    await scene.report('help-desk', 'CUSTOMER_REPLIED', ticket, { messageId: 'reply-1' })
    expect(await scene.granted(asked, { by: 'lena' })).toMatchObject({ outcome: 'allowed' })
    const again = await write(ticket, 'email', { message: 'And another thing' })
    scene.loads('consent', { email: true, sms: true })
    expect(await scene.granted(again, { by: 'lena' })).toMatchObject({ outcome: 'approval_required', round: 2 })
    expect(scene.effects).toHaveLength(1)
  })

  test('is not judged while the register cannot be read', async () => {
    scene.loads('consent', () => { throw new Error('the register is down') })
    await expect(write(await triaged(2), 'email')).rejects.toThrow('the register is down')
    expect(scene.effects).toEqual([])
  })
})

describe('a waived fee', () => {
  test('is always a person\'s decision; the rule only adds to it', async () => {
    const small = await propose('WAIVE_FEE', await triaged(1), { feeCents: 1, reason: 'goodwill' })
    expect(small).toMatchObject({ outcome: 'approval_required', rule: "a waived fee is always a person's decision" })
    const large = await propose('WAIVE_FEE', await triaged(2), { feeCents: 2_001, reason: 'goodwill' })
    expect(large).toMatchObject({ outcome: 'approval_required', rule: "a waived fee is always a person's decision; €20.01 is more than the usual €20.00" })
    expect(await scene.granted(small, { by: 'omar' })).toMatchObject({ outcome: 'allowed' })
    expect(scene.state('Ticket', 'ticket-1')).toBe('TRIAGED')
  })
})

describe('who may say what', () => {
  test('an agent cannot report that its ticket is resolved, nor open one', async () => {
    const ticket = await triaged(1)
    expect(await scene.report('support-agent-1', 'TICKET_RESOLVED', ticket, { how: 'by me' })).toMatchObject({ reason: 'event_not_reportable' })
    expect(await scene.report('support-agent-1', 'TICKET_OPENED', 'ticket-9', { customerId: 'cust-2', orderId: 'order-2' })).toMatchObject({ reason: 'event_not_reportable' })
    expect(await scene.report('lena', 'REFUND_ISSUED', ticket, { amountCents: -5_000, refundId: 'r' })).toMatchObject({ reason: 'event_not_reportable' })
  })

  test('an agent cannot agree to its own refund', async () => {
    const asked = await refund(await triaged(1), 9_900)
    expect(await scene.review(asked, 'granted', { by: 'support-agent-1' })).toMatchObject({ outcome: 'refused' })
    expect(await scene.again(asked)).toMatchObject({ outcome: 'approval_required' })
  })

  test('a person who leads support cannot refund by themselves', async () => {
    expect(await scene.propose('lena', 'ISSUE_REFUND', await triaged(1), { amountCents: 1, reason: 'x' })).toMatchObject({ reason: 'permission_denied' })
  })
})
