import { describe, expect, test } from 'vitest'
import type { Contract } from '../../src/core/contract.ts'
import { evaluate, type GateFacts, type Proposal } from '../../src/core/gate.ts'
import { REASONS, type Reason } from '../../src/core/outcome.ts'
import { aContract, type Wanted } from './an-account.ts'

interface Asked {
  readonly known: boolean
  readonly contract: Wanted
  readonly proposal: Omit<Proposal, 'inspection'> & { readonly params: unknown }
  readonly facts: GateFacts
}

const sound: Asked = {
  known: true,
  contract: {},
  proposal: { action: 'NOTE', entityId: 'account-1', params: { note: 'hello' }, actor: 'bot-1' },
  facts: { actorProven: true, state: { value: 'OPEN', version: 3 }, permissions: ['accounts.note'], declared: {} },
}

function decide({ known, contract, proposal, facts }: Asked): ReturnType<typeof evaluate> {
  return judge(known ? aContract(contract) : undefined, proposal, facts)
}

function judge(contract: Contract | undefined, { params, ...proposal }: Asked['proposal'], facts: GateFacts): ReturnType<typeof evaluate> {
  return evaluate(contract, { ...proposal, inspection: (contract ?? aContract()).inspect(proposal.entityId, params) }, facts)
}

const throws = (): never => {
  throw new Error('not today')
}

/** In the documented order: what each check looks at, a way to make it fail, and what it then says. */
const checks: readonly { readonly looksAt: string; readonly reason: Reason; readonly says: string; readonly breaks: (asked: Asked) => Asked }[] = [
  { looksAt: 'contract', reason: 'unknown_action', says: 'there is no action NOTE', breaks: (asked) => ({ ...asked, known: false }) },
  { looksAt: 'actor', reason: 'actor_unproven', says: 'bot-1', breaks: (asked) => ({ ...asked, facts: { ...asked.facts, actorProven: 'bot-1 is nobody' } }) },
  { looksAt: 'state', reason: 'unknown_entity', says: 'there is no Account account-1', breaks: (asked) => ({ ...asked, facts: { ...asked.facts, state: null } }) },
  { looksAt: 'state', reason: 'state_not_allowed', says: 'CLOSED', breaks: (asked) => ({ ...asked, facts: { ...asked.facts, state: { value: 'CLOSED', version: 3 } } }) },
  { looksAt: 'params', reason: 'missing_parameter', says: 'params.note', breaks: (asked) => ({ ...asked, proposal: { ...asked.proposal, params: {} } }) },
  { looksAt: 'params', reason: 'invalid_parameter', says: 'params.note', breaks: (asked) => ({ ...asked, proposal: { ...asked.proposal, params: { note: 1 } } }) },
  { looksAt: 'permission', reason: 'permission_denied', says: 'accounts.note', breaks: (asked) => ({ ...asked, facts: { ...asked.facts, permissions: ['accounts.review', 'accounts'] } }) },
  { looksAt: 'check', reason: 'invalid_parameter', says: 'no notes today', breaks: (asked) => ({ ...asked, contract: { ...asked.contract, check: () => 'no notes today' } }) },
  { looksAt: 'forbid', reason: 'forbidden', says: 'notes are closed', breaks: (asked) => ({ ...asked, contract: { ...asked.contract, forbid: () => 'notes are closed' } }) },
  { looksAt: 'rule', reason: 'approval_policy_error', says: 'not today', breaks: (asked) => ({ ...asked, contract: { ...asked.contract, rule: throws } }) },
  { looksAt: 'words', reason: 'error', says: 'not today', breaks: (asked) => ({ ...asked, contract: { ...asked.contract, words: throws } }) },
  { looksAt: 'rule', reason: 'approval_required', says: 'it is a note', breaks: (asked) => ({ ...asked, contract: { ...asked.contract, rule: () => 'it is a note' } }) },
]

test('a proposal that passes every check is allowed, with its parsed action', () => {
  expect(decide(sound)).toMatchObject({ outcome: 'allowed', action: { params: { note: 'hello' } } })
})

describe('each check', () => {
  test.each(checks)('$reason: with the outcome and the next step of the one table', ({ reason, says, breaks }) => {
    const decision = decide(breaks(sound))
    expect(decision.outcome).toBe(REASONS[reason].outcome)
    expect(JSON.stringify(decision)).toContain(says)
    if (decision.outcome !== 'approval_required') expect(decision).toMatchObject({ reason, nextStep: REASONS[reason].nextStep })
  })

  test('asks for approval in the words of the rule, only when all else holds', () => {
    expect(decide({ ...sound, contract: { rule: (note) => `because of ${note}` } })).toMatchObject({
      outcome: 'approval_required', rule: 'because of hello', action: { params: { note: 'hello' } },
    })
  })

  test('an empty rule still asks: only `false` means that no approval is needed', () => {
    expect(decide({ ...sound, contract: { rule: () => '' } }).outcome).toBe('approval_required')
  })

  test('the action name is looked up by the gate: a name that every object has is not an action', () => {
    expect(judge(undefined, { ...sound.proposal, action: 'constructor' }, sound.facts)).toMatchObject({ reason: 'unknown_action' })
  })
})

describe('the first failing check wins', () => {
  const pairs = checks.flatMap((first, index) => checks.slice(index + 1).filter((second) => second.looksAt !== first.looksAt).map((second) => ({ first, second })))

  test.each(pairs)('$first.reason before $second.reason', ({ first, second }) => {
    const decision = decide(second.breaks(first.breaks(sound)))
    expect(decision.outcome === 'approval_required' ? 'approval_required' : Reflect.get(decision, 'reason')).toBe(first.reason)
  })
})

describe('a rule that gives neither words nor false', () => {
  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['true', true],
    ['zero', 0],
    ['a promise of false', Promise.resolve(false)],
  ])('%s never reads as "no approval needed"', (_, given) => {
    expect(decide({ ...sound, contract: { rule: () => given as false } })).toMatchObject({ outcome: 'blocked', reason: 'approval_policy_error', message: expect.stringContaining('neither words nor false') })
  })
})

test("the words of the domain's own check refuse, as an invalid parameter", () => {
  expect(decide({ ...sound, contract: { check: () => 'no notes today' } })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter', message: 'no notes today' })
})

test.each(['check', 'forbid'] as const)('a %s that throws refuses, and says so', (rule) => {
  expect(decide({ ...sound, contract: { [rule]: throws } })).toMatchObject({ outcome: 'blocked', reason: 'error', message: expect.stringContaining('not today') })
})

test('the same proposal and facts give the same decision', () => {
  const contract: Contract = aContract({ rule: () => 'always' })
  const decisions = [1, 2].map(() => JSON.stringify(judge(contract, sound.proposal, sound.facts)))
  expect(decisions[0]).toBe(decisions[1])
})

test('judging neither changes what was proposed nor the facts', () => {
  const proposal = Object.freeze({ ...sound.proposal, params: Object.freeze({ note: 'hello' }) })
  const facts = Object.freeze({ ...sound.facts, permissions: Object.freeze(['accounts.note']) })
  expect(judge(aContract(), proposal, facts).outcome).toBe('allowed')
})
