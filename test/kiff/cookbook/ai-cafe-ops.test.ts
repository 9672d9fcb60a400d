import { testDomain, type Scene } from 'kiff-temporal/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { aiCafeOps } from './ai-cafe-ops.ts'
import { eventsOf, expectEnd } from './ending.ts'

let scene: Scene<typeof aiCafeOps>
beforeEach(async () => {
  scene = await testDomain(aiCafeOps, {
    members: { 'shift-manager-1': { roles: ['shift-manager'], type: 'agent' }, olga: 'owner', both: ['shift-manager', 'owner'], planner: 'planner' },
    executors: { ORDER_INVENTORY: ({ params }) => ({ orderId: `order-${params.itemId}` }), SEND_STAFF_MESSAGE: { messageId: 'm-1' } },
    loaders: { daytime: 12 },
  })
  for (const id of ['s-1', 's-2', 's-3', 's-4', 's-5']) await scene.given('Shift', id, [['SHIFT_SCHEDULED'], ['SHIFT_STARTED']])
})
const olga = { by: 'olga' }
const order = (id: string, amountCents: unknown, how: { by?: string; itemId?: string; quantity?: number; workflow?: string; key?: string } = {}) =>
  scene.propose(how.by ?? 'shift-manager-1', 'ORDER_INVENTORY', id, { itemId: how.itemId ?? 'napkins', quantity: how.quantity ?? 200, amountCents }, how.key === undefined ? {} : { workflow: how.workflow ?? 'w', key: how.key })
const write = (id: string, message = 'please open early') => scene.propose('shift-manager-1', 'SEND_STAFF_MESSAGE', id, { recipient: 'sam', message })

describe("KIFF's shifts", () => {
  test('1: a small order is placed at once', async () => {
    expect(await order('s-1', 1_500)).toMatchObject({ outcome: 'allowed', output: { orderId: 'order-napkins' } })
    expectEnd(scene, 'Shift', 's-1', 'OPEN', ['ORDER_INVENTORY'])
    expect(eventsOf(scene, 's-1')).toBe(3)
  })

  test('2: a larger one waits for a person, and is placed once when they agree', async () => {
    const asked = await order('s-2', 9_900, { quantity: 6_000, key: 'napkins' })
    expect(asked).toMatchObject({ outcome: 'approval_required', rule: 'amount 9900 > single-order ceiling 5000' })
    expect(await scene.granted(asked, olga)).toMatchObject({ outcome: 'allowed' })
    expect(await order('s-2', 9_900, { quantity: 6_000, key: 'napkins' })).toMatchObject({ outcome: 'allowed', output: { orderId: 'order-napkins' } })
    expectEnd(scene, 'Shift', 's-2', 'OPEN', ['ORDER_INVENTORY'])
    expect(eventsOf(scene, 's-2')).toBe(3)
    expect(await order('s-2', 9_900)).toMatchObject({ outcome: 'approval_required' })
  })

  test.each(['REQUEST_SPECIALTY', 'ORDER_INVENTORY'])('3: %s of what is not in the catalog is forbidden, and nobody is asked', async (action) => {
    const params = action === 'REQUEST_SPECIALTY' ? { itemId: 'yuzu_concentrate', rationale: 'a guest asked' } : { itemId: 'yuzu_concentrate', quantity: 1, amountCents: 1 }
    expect(await scene.propose('shift-manager-1', action, 's-3', params)).toMatchObject({ outcome: 'blocked', reason: 'forbidden', message: 'yuzu_concentrate is not in the catalog' })
    expect(scene.timeline({ entityId: 's-3', kind: 'approval_recorded' })).toEqual([])
    expectEnd(scene, 'Shift', 's-3', 'OPEN', [])
    expect(eventsOf(scene, 's-3')).toBe(2)
  })

  test('a specialty that is in it waits for a person', async () => {
    const asked = await scene.propose('shift-manager-1', 'REQUEST_SPECIALTY', 's-3', { itemId: 'oat_milk', rationale: 'a guest asked' })
    expect(asked).toMatchObject({ outcome: 'approval_required', rule: "a specialty is a person's choice" })
    expect(await scene.granted(asked, olga)).toMatchObject({ outcome: 'allowed' })
    expect(eventsOf(scene, 's-3')).toBe(3)
  })

  test('4: at 02 nobody is written to', async () => {
    scene.loads('daytime', 2)
    expect(await write('s-4')).toMatchObject({ outcome: 'blocked', reason: 'forbidden' })
    expectEnd(scene, 'Shift', 's-4', 'OPEN', [])
    expect(eventsOf(scene, 's-4')).toBe(2)
  })

  test('5: a supplier is handed to a person', async () => {
    expect(await scene.propose('shift-manager-1', 'ESCALATE_SUPPLIER', 's-5', { supplierId: 'sup-1', reason: 'late again' })).toMatchObject({ outcome: 'allowed' })
    expectEnd(scene, 'Shift', 's-5', 'AWAITING_HUMAN', [])
    expect(eventsOf(scene, 's-5')).toBe(3)
    expect(await order('s-5', 1)).toMatchObject({ reason: 'state_not_allowed' })
  })

  test('a shift is opened first', async () => {
    await scene.report('planner', 'SHIFT_SCHEDULED', 's-6')
    expect(await order('s-6', 100)).toMatchObject({ reason: 'state_not_allowed' })
    expect(await scene.propose('shift-manager-1', 'START_SHIFT', 's-6', {})).toMatchObject({ outcome: 'allowed' })
    expect(await order('s-6', 100)).toMatchObject({ outcome: 'allowed' })
  })
})

describe('the ceilings stand in the contract', () => {
  test.each([[5_000, 'allowed'], [5_001, 'approval_required'], [50_000, 'approval_required'], [50_001, 'invalid']])('an order of %i: %s', async (cents, outcome) => {
    expect(await order('s-1', cents)).toMatchObject({ outcome })
  })

  test('the shift\'s total is counted from what was ordered in it', async () => {
    for (let n = 0; n < 4; n++) expect(await order('s-1', 5_000)).toMatchObject({ outcome: 'allowed' })
    expect(await order('s-1', 1)).toMatchObject({ outcome: 'approval_required', rule: 'shift total 20001 > per-shift ceiling 20000' })
    expect(await order('s-2', 1)).toMatchObject({ outcome: 'allowed' })
  })

  test('weak point 8: there is no twin to call instead', async () => {
    expect(await scene.propose('shift-manager-1', 'AUTO_ORDER_INVENTORY', 's-1', { itemId: 'napkins', quantity: 1, amountCents: 99_999_999 })).toMatchObject({ reason: 'unknown_action' })
    expectEnd(scene, 'Shift', 's-1', 'OPEN', [])
  })
})

describe('the hour is the café\'s', () => {
  test.each([[6, 'blocked'], [7, 'approval_required'], [21, 'approval_required'], [22, 'blocked']])('at %i: %s', async (hour, outcome) => {
    scene.loads('daytime', hour)
    expect(await write('s-1')).toMatchObject({ outcome })
  })

  test('and no agent\'s to say', async () => {
    scene.loads('daytime', 2)
    expect(await scene.propose('shift-manager-1', 'SEND_STAFF_MESSAGE', 's-1', { recipient: 'sam', message: 'wake up', sentAtLocal: 12 })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
  })

  test.each([-1, 24, 12.5])('%o is no hour, and nothing is judged by it', async (hour) => {
    scene.loads('daytime', hour)
    await expect(write('s-1')).rejects.toThrow('daytime')
  })

  test('a message agreed to in the daytime is not sent at night', async () => {
    const asked = await write('s-1')
    scene.loads('daytime', 2)
    expect(await scene.granted(asked, olga)).toMatchObject({ outcome: 'blocked', reason: 'forbidden' })
    expectEnd(scene, 'Shift', 's-1', 'OPEN', [])
  })

  // Consent binds every declared fact: this one is whether it is day, not what hour it is.
  test('consent outlasts the hour it was asked in, not the day', async () => {
    const asked = await write('s-1')
    scene.loads('daytime', 21)
    expect(await scene.granted(asked, olga)).toMatchObject({ outcome: 'allowed' })
    const late = await write('s-2')
    scene.loads('daytime', 22)
    expect(await scene.granted(late, olga)).toMatchObject({ outcome: 'blocked', reason: 'forbidden' })
    expectEnd(scene, 'Shift', 's-1', 'OPEN', ['SEND_STAFF_MESSAGE'])
  })
})

describe('who may do what', () => {
  test('whoever orders does not review, whatever else they are', async () => {
    const asked = await order('s-1', 9_900)
    expect(await scene.review(asked, 'granted', { by: 'shift-manager-1' })).toMatchObject({ outcome: 'refused', reason: 'permission_denied' })
    const own = await order('s-2', 9_900, { by: 'both' })
    expect(await scene.review(own, 'granted', { by: 'both' })).toMatchObject({ outcome: 'refused', reason: 'self_review' })
    expect(await scene.again(own)).toMatchObject({ outcome: 'approval_required' })
    expectEnd(scene, 'Shift', 's-1', 'OPEN', [])
  })

  test.each(['olga', 'planner'])('%s cannot order', async (by) => {
    expect(await order('s-1', 1, { by })).toMatchObject({ outcome: 'blocked', reason: 'permission_denied' })
    expectEnd(scene, 'Shift', 's-1', 'OPEN', [])
  })

  test.each(['1500', 0, 15.5, null])('an amount of %o is none', async (amount) => {
    expect(await order('s-1', amount)).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expectEnd(scene, 'Shift', 's-1', 'OPEN', [])
  })

  test.each([0, 10_001])('a quantity of %o is none', async (quantity) => {
    expect(await order('s-1', 1, { quantity })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
  })
})
