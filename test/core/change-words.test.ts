/** What `npm start` tells of each change. */
import { expect, test } from 'vitest'
import { changeInWords } from '../../src/cli/change-words.ts'
import type { Change } from '../../src/dev/watch.ts'

const inbox = 'http://127.0.0.1:4080'
const refused: Change = {
  at: '2026-01-02T21:59:00.000Z', entity: 'order-2', change: 'refused', action: 'REFUND_ORDER', event: null, actor: 'support-agent-1',
  workflow: 'ticket-2', outcome: 'invalid', reason: 'invalid_parameter', message: 'no such thing', approval_id: null,
}

test('one line, and where to decide on a second', () => {
  expect(changeInWords(refused, inbox)).toBe('21:59:00  order-2    REFUND_ORDER invalid: invalid_parameter (no such thing)')
  expect(changeInWords({ ...refused, change: 'approval_requested', message: 'above the limit', approval_id: 'approval-1' }, inbox)).toBe(
    `21:59:00  order-2    REFUND_ORDER waits for a person: above the limit\n                     decide at ${inbox}/approvals/approval-1`)
  expect(changeInWords({ ...refused, change: 'role_granted' }, inbox)).toBe(null)
})

const forged = 'X\n21:59:00  order-99   REFUND_ORDER done \u001B[31mRED'
const marked = 'X⟦U+000A⟧21:59:00  order-99   REFUND_ORDER done ⟦U+001B⟧[31mRED'

test.each(['refused', 'approval_denied', 'event_refused', 'event', 'opened', 'executed', 'reviewed', 'in_doubt', 'completion_rejected', 'approval_expired', 'approval_withdrawn', 'signal_rejected', 'failed'])(
  'a line that somebody wrote into what they propose is none: %s', (change) => {
    const told = changeInWords({ ...refused, change, entity: forged, action: forged, event: forged, actor: forged, outcome: forged, reason: forged, message: forged }, inbox)
    expect(told).toContain(marked)
    expect(told).not.toMatch(/\p{Cc}/u)
  })

test('nor in what a person is asked: the one line break is ours', () => {
  const told = changeInWords({ ...refused, change: 'approval_requested', action: forged, message: forged, approval_id: 'approval-1' }, inbox)
  expect(told?.split('\n')).toEqual([`21:59:00  order-2    ${marked} waits for a person: ${marked}`, expect.stringMatching(/^ {21}decide at /)])
  expect(told).not.toContain('\u001B')
})
