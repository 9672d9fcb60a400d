import { beforeEach, describe, expect, test } from 'vitest'
import { NotDone, testDomain, type Scene, type SceneOptions } from 'kiff-temporal/testing'
import { wallets } from './wallets.ts'

const options: SceneOptions<typeof wallets> = {
  members: { payer: 'payer', olga: 'reviewer', otto: 'reviewer', robot: { roles: ['reviewer'], type: 'agent', name: 'Robot' }, both: ['payer', 'reviewer'], clerk: 'reporter', nobody: [] },
  executors: { PAY_OUT: ({ params }) => ({ transferId: `t-${params.amountCents}` }), VERIFY: {} },
  loaders: { balanceCents: 5_000 },
}
let scene: Scene<typeof wallets>
beforeEach(async () => {
  scene = await testDomain(wallets, options)
  await scene.given('Wallet', 'w-1', [['WALLET_OPENED']])
})

const pay = (amountCents: number, how?: Parameters<Scene<typeof wallets>['propose']>[4]) => scene.as('payer').PAY_OUT('w-1', { amountCents }, how)

describe('given', () => {
  test('is the past that the rules rest on, also of what only an action emits', async () => {
    await scene.given('Wallet', 'w-1', [['PAID_OUT', { amountCents: 900 }]])
    expect(await pay(100)).toMatchObject({ outcome: 'allowed' })
    expect(await pay(1)).toMatchObject({ outcome: 'approval_required', rule: 'more than 10.00 in all' })
  })

  test.each<[string, Parameters<Scene<typeof wallets>['given']>[2], string]>([
    ['that cannot have happened', [['WALLET_OPENED']], 'Wallet w-1 has no such past: WALLET_OPENED cannot happen in state OPEN'],
    ['of an event that there is not', [['BURNED']], 'Wallet has no event BURNED'],
    ['with another payload than is declared', [['PAID_OUT', { amountCents: 'x' }]], 'payload.amountCents'],
  ])('a past %s is refused', async (_, past, why) => {
    await expect(scene.given('Wallet', 'w-1', past)).rejects.toThrow(why)
    expect(scene.state('Wallet', 'w-1')).toBe('OPEN')
  })

  test('a past of a kind of entity that there is not is refused', async () => {
    await expect(scene.given('Purse', 'p-1', [])).rejects.toThrow('wallets has no entity Purse')
  })

  test('what has happened stands in the timeline, in order, at the scene\'s time', () => {
    expect(scene.timeline('w-1')).toMatchObject([{ kind: 'event_ingested', created_at: '2026-01-01T00:00:00.000000Z', actor_id: 'given' }, { kind: 'state_changed', data: { from: null, to: 'OPEN' } }])
  })

  test('a scene of its own has nothing of another', async () => {
    const other = await testDomain(wallets, options)
    expect([other.state('Wallet', 'w-1'), other.timeline().filter(({ entity_id }) => entity_id !== null)]).toEqual([null, []])
  })

  test('members hold the roles that they are given, and no other', async () => {
    await expect(testDomain(wallets, { members: { payer: 'king' } })).rejects.toThrow('domain wallets has no role king')
    expect(await scene.propose('nobody', 'PAY_OUT', 'w-1', { amountCents: 1 })).toMatchObject({ reason: 'permission_denied' })
    await scene.grantRole('nobody', 'payer')
    expect(await scene.propose('nobody', 'PAY_OUT', 'w-1', { amountCents: 1 })).toMatchObject({ outcome: 'allowed' })
    await scene.revokeRole('nobody', 'payer')
    expect(await scene.propose('nobody', 'PAY_OUT', 'w-1', { amountCents: 1 })).toMatchObject({ reason: 'permission_denied' })
  })

  test('the gate serves those that it is told to', async () => {
    const strict = await testDomain(wallets, { ...options, actors: ['clerk'] })
    expect(await strict.report('clerk', 'WALLET_OPENED', 'w-1')).toMatchObject({ outcome: 'allowed' })
    expect(await strict.propose('payer', 'PAY_OUT', 'w-1', { amountCents: 1 })).toMatchObject({ reason: 'actor_unproven' })
  })
})

describe('what is loaded', () => {
  test('is what the rules see: a value, another value later, or a function of what is asked', async () => {
    scene.loads('balanceCents', 10)
    expect(await pay(11)).toMatchObject({ reason: 'forbidden', message: 'it holds less than that' })
    scene.loads('balanceCents', ({ entityId, params }) => (entityId === 'w-1' ? params.amountCents : 0))
    expect(await pay(11)).toMatchObject({ outcome: 'allowed' })
  })

  test('and cannot be, withholds: Temporal would try again', async () => {
    scene.loads('balanceCents', () => { throw new Error('the bank is closed') })
    await expect(pay(1)).rejects.toMatchObject({ type: 'kiff.FactsUnavailable', message: expect.stringContaining('the bank is closed') })
    expect(scene.effects).toEqual([])
  })

  test('or is not given at all, withholds as well', async () => {
    const { loaders: _, ...rest } = options
    const bare = await testDomain(wallets, rest)
    await bare.given('Wallet', 'w-1', [['WALLET_OPENED']])
    await expect(bare.propose('payer', 'PAY_OUT', 'w-1', { amountCents: 1 })).rejects.toThrow('no loader is bound for fact balanceCents')
  })
})

describe('an effect', () => {
  test('is spied with all that the executor was given, once for each time it was begun', async () => {
    await pay(7, { onBehalfOf: 'olga' })
    expect(scene.effects).toEqual([{ action: 'PAY_OUT', entityId: 'w-1', actor: 'payer', onBehalfOf: 'olga', params: { amountCents: 7 }, facts: { balanceCents: 5_000, paidCents: 0 }, idempotencyKey: expect.stringMatching(/^[\da-f]{64}$/) }])
  })

  test('whose executor is not given is refused', async () => {
    const bare = await testDomain(wallets, { members: options.members, loaders: { balanceCents: 5_000 } })
    await bare.given('Wallet', 'w-1', [['WALLET_OPENED']])
    expect(await bare.propose('payer', 'PAY_OUT', 'w-1', { amountCents: 1 })).toMatchObject({ reason: 'executor_missing' })
  })

  test('that its executor says was not done is told so, and can be tried again', async () => {
    scene.executes('PAY_OUT', () => { throw new NotDone('no such account') })
    expect(await pay(1)).toMatchObject({ reason: 'execution_failed', message: 'no such account' })
    scene.executes('PAY_OUT', { transferId: 't-1' })
    expect(await pay(1)).toMatchObject({ outcome: 'allowed', output: { transferId: 't-1' } })
  })

  test('that must not be repeated, and of which nobody knows, holds its entity', async () => {
    scene.executes('PAY_OUT', () => { throw new Error('connection lost') })
    expect(await pay(1)).toMatchObject({ reason: 'outcome_unknown' })
    scene.executes('PAY_OUT', { transferId: 't-1' })
    expect(await pay(1)).toMatchObject({ reason: 'outcome_unknown' })
    expect(await scene.report('clerk', 'WALLET_CLOSED', 'w-1')).toMatchObject({ reason: 'outcome_unknown' })
    expect(scene.effects).toHaveLength(1)
  })

  test('that takes longer than it may is not known either', async () => {
    const slow = await testDomain(wallets, { ...options, executorMs: 20, executors: { PAY_OUT: () => new Promise(() => {}) } })
    await slow.given('Wallet', 'w-1', [['WALLET_OPENED']])
    expect(await slow.propose('payer', 'PAY_OUT', 'w-1', { amountCents: 1 })).toMatchObject({ reason: 'outcome_unknown' })
  })

  test('on something without state happens, and is in its timeline', async () => {
    expect(await scene.as('payer').VERIFY('a-1', {})).toMatchObject({ outcome: 'allowed' })
    expect(scene.state('Address', 'a-1')).toBeNull()
    expect(scene.timeline('a-1').map(({ kind }) => kind)).toEqual(['decision_proposed', 'action_validated', 'action_executed'])
  })

  test.each<[string, (scene: Scene<typeof wallets>) => void]>([
    ['wallets has no action FLY', ({ executes }) => { executes('FLY' as 'VERIFY', {}) }],
    ['wallets has no fact weather that is loaded', ({ loads }) => { loads('weather' as 'balanceCents', 1) }],
    ['wallets has no fact paidCents that is loaded', ({ loads }) => { loads('paidCents' as 'balanceCents', 1) }],
  ])('%s', (why, give) => {
    expect(() => { give(scene) }).toThrow(why)
  })
})

describe('a workflow', () => {
  test('that proposes with one key has one effect, and is told the same again', async () => {
    const first = await pay(5, { workflow: 'ticket-1', key: 'call-1' })
    expect(await pay(5, { workflow: 'ticket-1', key: 'call-1' })).toMatchObject({ outcome: 'allowed', output: Reflect.get(first, 'output') })
    expect(scene.effects).toHaveLength(1)
  })

  test("has one effect with any other workflow that brings the same API caller's key", async () => {
    const first = await pay(5, { workflow: 'ticket-1', callerKey: 'request-1' })
    expect(await pay(5, { workflow: 'ticket-2', callerKey: 'request-1' })).toMatchObject({ outcome: 'allowed', output: Reflect.get(first, 'output') })
    expect(await pay(6, { workflow: 'ticket-2', callerKey: 'request-1' })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
  })

  test('that proposes the same twice, and means it, has two', async () => {
    for (let count = 0; count < 2; count++) expect(await pay(5, { workflow: 'ticket-1' })).toMatchObject({ outcome: 'allowed' })
    expect(new Set(scene.effects.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(2)
  })

  test('carries its trace into every record', async () => {
    await pay(5, { workflow: 'ticket-1', trace: { traceId: 'trace-1', tags: { tenant: 'acme' } } })
    expect(scene.timeline({ trace: 'trace-1' }).map(({ kind }) => kind)).toContain('action_executed')
    expect(scene.timeline({ correlation: 'ticket-1' })).toEqual(scene.timeline({ trace: 'trace-1' }))
  })

  test('shows a person the agent\'s own words, as a claim', async () => {
    await pay(2_000, { why: 'they asked twice', evidence: ['mail 7'], confidence: 0.5 })
    expect(scene.timeline({ kind: 'decision_proposed' })).toMatchObject([{ data: { confidence: 0.5 } }])
  })
})

describe('where two people have to agree', () => {
  test('one is not enough, and the second lets it run', async () => {
    const asked = await pay(2_000)
    expect(await scene.granted(asked, { by: 'olga' })).toMatchObject({ outcome: 'approval_required', round: 1 })
    expect(await scene.granted(asked, { by: 'otto' })).toMatchObject({ outcome: 'allowed' })
    expect(scene.effects).toHaveLength(1)
  })

  test.each([
    ['an agent', 'robot', 'robot cannot review it: you do not hold the permission'],
    ['someone without the role', 'clerk', 'clerk cannot review it: you do not hold the permission'],
  ])('%s is none of them', async (_, by, why) => {
    await expect(scene.granted(await pay(2_000), { by })).rejects.toThrow(why)
  })

  test('whoever asks is none of them', async () => {
    const asked = await scene.propose('both', 'PAY_OUT', 'w-1', { amountCents: 2_000 })
    expect(await scene.review(asked, 'granted', { by: 'both' })).toMatchObject({ outcome: 'refused', reason: 'self_review' })
  })

  test('consent is for the facts as well: another balance asks anew', async () => {
    const asked = await pay(2_000)
    scene.loads('balanceCents', 4_000)
    await scene.review(asked, 'granted', { by: 'olga' })
    expect(await scene.granted(asked, { by: 'otto' })).toMatchObject({ outcome: 'approval_required', round: 2, changed: expect.stringContaining('balanceCents has changed since') })
  })

  test('a grant that waits too long is over', async () => {
    const asked = await pay(2_000)
    await scene.review(asked, 'granted', { by: 'olga' })
    await scene.review(asked, 'granted', { by: 'otto' })
    scene.advance('26 hours')
    expect(await scene.again(asked)).toMatchObject({ reason: 'approval_expired' })
  })

  test('what was never granted cannot be taken back', async () => {
    await expect(scene.revokeGrant(await pay(2_000), { by: 'olga' })).rejects.toThrow('olga cannot revoke it: it')
  })
})

describe('a mandate', () => {
  test('runs out with the scene\'s time', async () => {
    const asked = await pay(2_000, { onBehalfOf: 'anna' })
    scene.advance('1 hour')
    expect(await scene.again(asked)).toMatchObject({ reason: 'actor_unproven' })
  })

  test('of a stranger is none', async () => {
    expect(await pay(1, { mandate: 'made.up.words' })).toMatchObject({ reason: 'actor_unproven' })
  })
})

describe('what a test gets wrong it is told', () => {
  test('an answer that asked nobody cannot be granted', async () => {
    await expect(scene.granted(await pay(1), { by: 'olga' })).rejects.toThrow('nobody was asked: {"outcome":"allowed"')
  })

  test('an approval of another scene is none here', async () => {
    await expect(scene.again('00000000-0000-4000-8000-000000000000')).rejects.toThrow('no proposal of this scene asked for approval')
    await expect(scene.revokeGrant('00000000-0000-4000-8000-000000000000', { by: 'olga' })).rejects.toThrow('olga cannot revoke it: there is no such approval')
  })

  test('a time that is none', async () => {
    await expect(testDomain(wallets, { ...options, now: 'tomorrow' })).rejects.toThrow('"tomorrow" is not a time')
  })

  test('an action that there is not is answered by the gate', async () => {
    expect(await scene.propose('payer', 'FLY', 'w-1', {})).toMatchObject({ outcome: 'invalid', reason: 'unknown_action' })
  })
})

describe('what is asked crosses to the gate as it does in Temporal', () => {
  test('a member without a value is left behind', async () => {
    expect(await scene.propose('payer', 'PAY_OUT', 'w-1', { amountCents: 1, note: undefined })).toMatchObject({ outcome: 'allowed' })
  })

  test.each<[string, string, Parameters<Scene<typeof wallets>['propose']>[4]]>([
    ['an id with a line break', 'w\n1', {}],
    ['no id', '', {}],
    ['a confidence beyond 1', 'w-1', { why: 'x', confidence: 2 }],
    ['more words than anybody reads', 'w-1', { why: 'x'.repeat(4_001) }],
  ])('%s is refused, and recorded', async (_, entityId, how) => {
    expect(await scene.propose('payer', 'PAY_OUT', entityId, { amountCents: 1 }, how)).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expect(scene.timeline({ kind: 'action_failed' })).toHaveLength(1)
  })

  test('nor is an event reported under an id that is none', async () => {
    expect(await scene.report('clerk', 'WALLET_OPENED', 'w-2', {}, { id: '' })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expect(scene.state('Wallet', 'w-2')).toBeNull()
  })
})

test('what is reported under one id happens once', async () => {
  for (let count = 0; count < 2; count++) expect(await scene.report('clerk', 'WALLET_OPENED', 'w-2', {}, { id: 'e-1', source: 'till-7' })).toMatchObject({ outcome: 'allowed' })
  expect(scene.timeline('w-2').filter(({ kind }) => kind === 'state_changed')).toHaveLength(1)
})

test('what an action recorded can be seen, with what it carries, and of that entity alone', async () => {
  await scene.given('Wallet', 'w-2', [['WALLET_OPENED']])
  await pay(1_000)
  expect(scene.events('Wallet', 'w-1')).toMatchObject([
    { type: 'WALLET_OPENED', from_state: null, to_state: 'OPEN', payload: {} },
    { type: 'PAID_OUT', from_state: 'OPEN', to_state: 'OPEN', payload: { amountCents: 1_000 }, actor_id: 'payer' },
  ])
  expect(scene.events('Wallet', 'w-2')).toHaveLength(1)
})

test('a loader that never answers holds nothing up: the action is withheld, and nothing is recorded of it', async () => {
  const slow = await testDomain(wallets, { ...options, executorMs: 50, loaders: { balanceCents: () => new Promise<number>(() => {}) } })
  await slow.given('Wallet', 'w-1', [['WALLET_OPENED']])
  const before = slow.timeline('w-1').length
  await expect(slow.as('payer').PAY_OUT('w-1', { amountCents: 1 })).rejects.toMatchObject({ type: 'kiff.FactsUnavailable', message: expect.stringContaining('a loader did not answer in time') })
  expect([slow.timeline('w-1').length, slow.effects]).toEqual([before, []])
})
