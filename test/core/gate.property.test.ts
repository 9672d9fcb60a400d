import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Inspection } from '../../src/core/contract.ts'
import { evaluate, type GateDecision, type GateFacts } from '../../src/core/gate.ts'
import { REASONS, type Reason } from '../../src/core/outcome.ts'
import { aContract } from './an-account.ts'

/** What a rule of the contract does with any note: it has nothing against it, says words, fails, or gives something that is neither. */
type Rule = 'silent' | 'words' | 'throws' | 'nothing'

interface Asked {
  readonly known: boolean
  readonly proven: boolean
  readonly state: 'none' | 'OPEN' | 'CLOSED'
  readonly from: readonly ('OPEN' | 'CLOSED')[]
  readonly params: unknown
  readonly permissions: readonly string[]
  readonly check: Rule | null
  readonly forbid: Rule | null
  readonly rule: Rule | null
  readonly words: 'words' | 'throws'
}

const rule = fc.option(fc.constantFrom<Rule>('silent', 'silent', 'silent', 'words', 'throws', 'nothing'))
const mostly = <T>(usual: T, other: fc.Arbitrary<T>): fc.Arbitrary<T> => fc.oneof({ weight: 5, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other })

/** Mostly sound: so that everything is sometimes as it should be, and often all but one thing or two. */
const asked: fc.Arbitrary<Asked> = fc.record({
  known: mostly(true, fc.constant(false)),
  proven: mostly(true, fc.constant(false)),
  state: mostly('OPEN', fc.constantFrom('none', 'CLOSED')),
  from: mostly(['OPEN'], fc.constantFrom<('OPEN' | 'CLOSED')[]>(['CLOSED'], ['OPEN', 'CLOSED'], [])),
  params: mostly<unknown>({ note: 'hello' }, fc.oneof(fc.constantFrom<unknown>({}, { note: 1 }, { note: 'a', more: 1 }, null, undefined, 'hello', { note: '\ud83d' }, []), fc.anything())),
  permissions: mostly(['accounts.note'], fc.subarray(['accounts', 'accounts.review', 'accounts.notes', '*'])),
  check: rule, forbid: rule, rule, words: mostly('words', fc.constant('throws')),
})

function does(what: Rule): () => string | false {
  switch (what) {
    case 'silent': return () => false
    case 'words': return () => 'words'
    case 'throws': return () => { throw new Error('not today') }
    case 'nothing': return () => undefined as unknown as false
  }
}

function judge(of: Asked): GateDecision {
  const contract = aContract({
    from: of.from,
    words: does(of.words) as () => string,
    ...(of.check === null ? {} : { check: does(of.check) }), ...(of.forbid === null ? {} : { forbid: does(of.forbid) }), ...(of.rule === null ? {} : { rule: does(of.rule) }),
  })
  const inspection: Inspection = contract.inspect('account-1', of.params)
  const facts: GateFacts = { actorProven: of.proven ? true : 'nobody', state: of.state === 'none' ? null : { value: of.state, version: 1 }, permissions: of.permissions, declared: {} }
  return evaluate(of.known ? contract : undefined, { action: 'NOTE', entityId: 'account-1', actor: 'bot-1', inspection }, facts)
}

/** What a note has to look like, said without the schema. */
function isNote(params: unknown): boolean {
  if (typeof params !== 'object' || params === null || Array.isArray(params)) return false
  const note: unknown = Reflect.get(params, 'note')
  return Object.keys(params).length === 1 && typeof note === 'string' && note.isWellFormed() && !note.includes('\u0000')
}

/** Every need, in the documented order, and what is answered when it is lacking. */
const needs: readonly { readonly met: (of: Asked) => boolean; readonly else: (of: Asked) => readonly Reason[] }[] = [
  { met: ({ known }) => known, else: () => ['unknown_action'] },
  { met: ({ proven }) => proven, else: () => ['actor_unproven'] },
  { met: ({ state }) => state !== 'none', else: () => ['unknown_entity'] },
  { met: ({ state, from }) => from.some((each) => each === state), else: () => ['state_not_allowed'] },
  { met: ({ params }) => isNote(params), else: () => ['missing_parameter', 'invalid_parameter'] },
  { met: ({ permissions }) => permissions.includes('accounts.note'), else: () => ['permission_denied'] },
  { met: ({ check }) => check === null || check === 'silent', else: ({ check }) => [check === 'words' ? 'invalid_parameter' : 'error'] },
  { met: ({ forbid }) => forbid === null || forbid === 'silent', else: ({ forbid }) => [forbid === 'words' ? 'forbidden' : 'error'] },
  { met: ({ rule: its }) => its === null || its === 'silent' || its === 'words', else: () => ['approval_policy_error'] },
  { met: ({ words }) => words === 'words', else: () => ['error'] },
  { met: ({ rule: its }) => its !== 'words', else: () => ['approval_required'] },
]

const reasonOf = (decision: GateDecision): Reason | null => (decision.outcome === 'allowed' ? null : decision.outcome === 'approval_required' ? 'approval_required' : decision.reason)

test('a proposal is allowed exactly when it lacks nothing, and the first thing that it lacks is what it is told', () => {
  const seen = new Set<Reason | null>()
  fc.assert(fc.property(asked, (of) => {
    const decision = judge(of)
    const lacking = needs.find(({ met }) => !met(of))
    const reason = reasonOf(decision)
    seen.add(reason)
    if (lacking === undefined) expect(reason).toBeNull()
    else expect(lacking.else(of)).toContain(reason)
    if (reason !== null) expect(decision.outcome).toBe(REASONS[reason].outcome)
  }), { numRuns: 3_000 })
  // It has met every answer there is.
  expect(seen.size).toBe(12)
})

test('taking something from what is lacking nothing is never allowed', () => {
  const sound: Asked = { known: true, proven: true, state: 'OPEN', from: ['OPEN'], params: { note: 'hello' }, permissions: ['accounts.note'], check: null, forbid: null, rule: null, words: 'words' }
  expect(judge(sound).outcome).toBe('allowed')
  fc.assert(fc.property(asked, (of) => {
    fc.pre(needs.some(({ met }) => !met(of)))
    expect(judge(of).outcome).not.toBe('allowed')
  }), { numRuns: 1_000 })
})

test('what may be done and what not does not depend on the order in which permissions are held, nor on others beside', () => {
  fc.assert(fc.property(asked, fc.shuffledSubarray(['x', 'y', 'z']), (of, more) => {
    expect(reasonOf(judge({ ...of, permissions: [...more, ...of.permissions.toReversed()] }))).toBe(reasonOf(judge(of)))
  }))
})
