import { describe, expect, test } from 'vitest'
import { isCanonical } from '../../src/core/canonical.ts'
import { REASONS, refuse, type Reason } from '../../src/core/outcome.ts'

/** KIFF's own reasons with their outcomes, which may not drift. */
const kiffs: Readonly<Record<string, string>> = {
  unknown_action: 'invalid', state_not_allowed: 'blocked', missing_parameter: 'invalid', invalid_parameter: 'invalid', permission_denied: 'blocked',
  approval_required: 'approval_required', approval_policy_error: 'blocked', executor_missing: 'invalid', error: 'blocked',
}

test.each(Object.entries(kiffs))("KIFF's reason %s has KIFF's outcome %s", (reason, outcome) => {
  expect(REASONS[reason as Reason].outcome).toBe(outcome)
})

test('no reason allows', () => {
  expect(Object.values(REASONS).map(({ outcome }) => outcome)).not.toContain('allowed')
})

describe('a refusal', () => {
  const reasons = (Object.keys(REASONS) as Reason[]).filter((reason) => reason !== 'approval_required')

  test.each(reasons)('%s: outcome and next step are the table\'s', (reason) => {
    const { outcome, nextStep } = REASONS[reason]
    expect(refuse(reason, 'm')).toEqual({ outcome, reason, message: 'm', nextStep })
  })

  test('has a message that can be recorded, whatever it quotes', () => {
    expect(isCanonical(refuse('execution_failed', 'the provider said \u0000\ud83d'))).toBe(true)
  })

  test('has a message of bounded length, whatever it quotes', () => {
    expect(refuse('invalid_parameter', 'x'.repeat(1_000_000)).message.length).toBe(1_000)
  })
})
