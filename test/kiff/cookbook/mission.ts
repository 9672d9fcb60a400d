/**
 * KIFF's mission: an agent proposes a move, a person agrees, the move is made. Asking is not an action here (KIFF's
 * REQUEST_HUMAN_APPROVAL emits nothing): EXECUTE_MOVE asks, always, and makes the recorded move; it takes no move of its own.
 */
import { defineDomain, entity } from 'kiff-temporal'
import { z } from 'zod'
import { latest } from '../../../domains/recorded.ts'
import { id, nothing } from './fields.ts'

const move = z.string().min(1).max(500)

const MissionAttempt = entity('MissionAttempt', {
  states: ['SUBMITTED', 'ACTIVE', 'WAITING_APPROVAL', 'COMPLETED'],
  events: {
    MISSION_SUBMITTED: { from: null, to: 'SUBMITTED', payload: z.strictObject({ goal: move }), reportedBy: 'missions.submit' },
    ATTEMPT_CREATED: { from: 'SUBMITTED', to: 'ACTIVE', payload: nothing },
    MOVE_PROPOSED: { from: 'ACTIVE', to: 'WAITING_APPROVAL', payload: z.strictObject({ move }) },
    MOVE_EXECUTED: { from: 'WAITING_APPROVAL', to: 'COMPLETED', payload: z.strictObject({ move, moveId: id }) },
  },
})

const goal = MissionAttempt.factFromEvents(['MISSION_SUBMITTED'], move, (submitted) => latest(submitted).goal)
const proposedMove = MissionAttempt.factFromEvents(['MOVE_PROPOSED'], move, (proposed) => latest(proposed).move)

export const missions = defineDomain({
  name: 'mission',
  actions: {
    CREATE_ATTEMPT: MissionAttempt.action({
      description: 'Begin an attempt at a submitted mission', from: ['SUBMITTED'], params: nothing, output: nothing, permission: 'missions.attempt', risk: 'low', effect: 'none',
      describe: ({ entityId }) => `Begin ${entityId}`,
      emits: { ATTEMPT_CREATED: () => ({}) },
    }),
    PROPOSE_MOVE: MissionAttempt.action({
      description: 'Record the move that the attempt is to make', from: ['ACTIVE'], params: z.strictObject({ move }), output: nothing, permission: 'missions.attempt', risk: 'medium', effect: 'none',
      describe: ({ params, entityId }) => `Propose for ${entityId}: ${params.move}`,
      emits: { MOVE_PROPOSED: ({ params }) => ({ move: params.move }) },
    }),
    EXECUTE_MOVE: MissionAttempt.action({
      description: 'Make the proposed move', from: ['WAITING_APPROVAL'], params: nothing, output: z.strictObject({ moveId: id }), permission: 'missions.attempt', risk: 'high',
      facts: { goal, move: proposedMove },
      approval: { always: 'a move is made when a person has agreed', reviewers: 'missions.review', expiresIn: '1 day' },
      effect: 'external',
      describe: ({ facts }) => `Move: ${facts.move} (towards: ${facts.goal})`,
      emits: { MOVE_EXECUTED: ({ facts, output }) => ({ move: facts.move, moveId: output.moveId }) },
    }),
  },
  roles: { 'mission-agent': ['missions.attempt'], 'mission-approver': ['missions.review'], coordinator: ['missions.submit'] },
})
