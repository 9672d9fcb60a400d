import { testDomain, type Scene } from 'kiff-temporal/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { expectEnd } from './ending.ts'
import { missions } from './mission.ts'

let scene: Scene<typeof missions>
beforeEach(async () => {
  scene = await testDomain(missions, {
    members: { 'mission-agent-1': { roles: ['mission-agent'], type: 'agent' }, mira: 'mission-approver', both: ['mission-agent', 'mission-approver'], control: 'coordinator' },
    executors: { EXECUTE_MOVE: ({ facts }) => ({ moveId: `made ${facts.move}` }) },
  })
})
const mira = { by: 'mira' }
const as = (action: string, id: string, params: unknown = {}, by = 'mission-agent-1') => scene.propose(by, action, id, params)

/** An attempt whose move is proposed. */
async function proposed(id: string): Promise<void> {
  await scene.given('MissionAttempt', id, [['MISSION_SUBMITTED', { goal: 'the hill' }], ['ATTEMPT_CREATED'], ['MOVE_PROPOSED', { move: 'two steps north' }]])
}

describe("KIFF's mission", () => {
  test('is submitted, begun, proposed, agreed to, made once, and over', async () => {
    expect(await scene.report('control', 'MISSION_SUBMITTED', 'm-1', { goal: 'the hill' })).toMatchObject({ outcome: 'allowed' })
    expect(await as('CREATE_ATTEMPT', 'm-1')).toMatchObject({ outcome: 'allowed' })
    expect(await as('PROPOSE_MOVE', 'm-1', { move: 'two steps north' })).toMatchObject({ outcome: 'allowed' })
    const asked = await as('EXECUTE_MOVE', 'm-1')
    expect(asked).toMatchObject({ outcome: 'approval_required', summary: 'Move: two steps north (towards: the hill)' })
    expect(await scene.granted(asked, mira)).toMatchObject({ outcome: 'allowed', output: { moveId: 'made two steps north' } })
    expect(await as('EXECUTE_MOVE', 'm-1')).toMatchObject({ outcome: 'blocked', reason: 'state_not_allowed' })
    expectEnd(scene, 'MissionAttempt', 'm-1', 'COMPLETED', ['EXECUTE_MOVE'])
  })

  test('that a person denies waits where it is, with the denial on record', async () => {
    await proposed('m-1')
    expect(await scene.denied(await as('EXECUTE_MOVE', 'm-1'), { ...mira, reason: 'too steep' })).toMatchObject({ outcome: 'blocked', reason: 'approval_denied' })
    expect(scene.timeline({ entityId: 'm-1', kind: 'approval_denied' })).toMatchObject([{ data: { reason: 'too steep' } }])
    expectEnd(scene, 'MissionAttempt', 'm-1', 'WAITING_APPROVAL', [])
  })
})

describe('the move that is made', () => {
  test('is the recorded one: none is told with it', async () => {
    await proposed('m-1')
    expect(await as('EXECUTE_MOVE', 'm-1', { move: 'off the cliff' })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expectEnd(scene, 'MissionAttempt', 'm-1', 'WAITING_APPROVAL', [])
  })

  test.each(['', 'x'.repeat(501), 7])('cannot be %o', async (move) => {
    await scene.given('MissionAttempt', 'm-1', [['MISSION_SUBMITTED', { goal: 'the hill' }], ['ATTEMPT_CREATED']])
    expect(await as('PROPOSE_MOVE', 'm-1', { move })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expectEnd(scene, 'MissionAttempt', 'm-1', 'ACTIVE', [])
  })
})

describe('who may do what', () => {
  test('an agent agrees to no move, nor does whoever asks', async () => {
    await proposed('m-1')
    expect(await scene.review(await as('EXECUTE_MOVE', 'm-1'), 'granted', { by: 'mission-agent-1' })).toMatchObject({ outcome: 'refused', reason: 'permission_denied' })
    const own = await as('EXECUTE_MOVE', 'm-1', {}, 'both')
    expect(await scene.review(own, 'granted', { by: 'both' })).toMatchObject({ outcome: 'refused', reason: 'self_review' })
    expect(await scene.again(own)).toMatchObject({ outcome: 'approval_required' })
    expectEnd(scene, 'MissionAttempt', 'm-1', 'WAITING_APPROVAL', [])
  })

  test('who approves cannot move, whatever they say of themselves', async () => {
    await proposed('m-1')
    expect(await as('EXECUTE_MOVE', 'm-1', {}, 'mira')).toMatchObject({ outcome: 'blocked', reason: 'permission_denied' })
    expect(await as('EXECUTE_MOVE', 'm-1', { roles: ['mission-agent'] }, 'mira')).toMatchObject({ outcome: 'invalid' })
    expect(await scene.report('mission-agent-1', 'MISSION_SUBMITTED', 'm-2', { goal: 'my own' })).toMatchObject({ reason: 'event_not_reportable' })
  })
})
