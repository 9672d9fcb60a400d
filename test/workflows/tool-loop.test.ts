/** The reference agent, with a script in the model's place: turns, parallel calls, refusals, and a person asked across runs. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { WorkflowHandle } from '@temporalio/client'
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundleWithSourceMap } from '@temporalio/worker'
import { toolsOf } from 'kiff-temporal'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Message } from '../../activities/model.ts'
import { openOutbox } from '../../activities/outbox.ts'
import { scriptedModel, type ScriptedTurn } from '../../activities/scripted-model.ts'
import { boundSupportOps } from '../../activities/support-ops.ts'
import { supportOps } from '../../domains/support-ops/domain.ts'
import { KiffPlugin } from '../../src/gate/index.ts'
import { aStack, eventually, type Stack } from '../a-stack.ts'
import { approvalsOf, states } from '../an-entity.ts'

const folder = mkdtempSync(join(tmpdir(), 'kiff-tool-loop-'))
const refunded: string[] = []
let stack: Stack
let workflowBundle: WorkflowBundleWithSourceMap

beforeAll(async () => {
  const customersFile = join(folder, 'customers.json')
  writeFileSync(customersFile, JSON.stringify({ 'cust-1': { email: 'ada@example.org', phone: '+1', consent: { email: false, sms: false } } }))
  const bound = boundSupportOps({
    payments: { refund: async (orderId) => ({ refundId: `r-${refunded.push(orderId)}` }) },
    outbox: openOutbox(join(folder, 'outbox.jsonl')),
    customersFile,
  })
  ;[stack, workflowBundle] = await Promise.all([
    aStack({ bound, actors: ['support-agent-1', 'help-desk'], members: { 'support-agent-1': 'support-agent', 'help-desk': 'help-desk', lena: 'support-lead' } }),
    bundleWorkflowCode({ workflowsPath: new URL('../../workflows/index.ts', import.meta.url).pathname, plugins: [new KiffPlugin()], logger: new DefaultLogger('ERROR') }),
  ])
})
afterAll(async () => {
  await stack.close()
  rmSync(folder, { recursive: true })
})

interface Ticket {
  readonly id: string
  readonly orderId: string
}

/** A ticket about an order of its own, as the help desk reports it. */
async function aTicket(): Promise<Ticket> {
  const [id, orderId] = [`ticket-${randomUUID()}`, `order-${randomUUID()}`]
  await stack.run('report', [stack.queues.gate, 'help-desk', [{ event: 'TICKET_OPENED', entityId: id, payload: { customerId: 'cust-1', orderId } }], 'support-ops'])
  return { id, orderId }
}

const call = (id: string, name: string, entityId: string, params: unknown) => ({ id, name, input: { entityId, params, why: 'the customer wrote so', confidence: 0.8 } })

/** Starts the loop on an agent worker whose model plays this script. */
async function converse(script: readonly ScriptedTurn[], more: Readonly<Record<string, unknown>> = {}): Promise<WorkflowHandle> {
  const taskQueue = `model-${randomUUID()}`
  await stack.startWorker({ taskQueue, workflowBundle, activities: { ...scriptedModel(script) } })
  const conversation = {
    domain: 'support-ops', actor: 'support-agent-1', taskQueue: stack.queues.gate, patience: '3 seconds',
    tools: toolsOf(supportOps), transcript: [{ role: 'user', text: 'work through the tickets' }], ...more,
  }
  return stack.client.workflow.start('toolLoop', { taskQueue, workflowId: `tool-loop-${randomUUID()}`, args: [conversation] })
}

const conversationOf = async (handle: WorkflowHandle): Promise<readonly Message[]> => (await handle.result()) as readonly Message[]
/** What the model was told of a call, in turn. */
const answersTo = (transcript: readonly Message[], id: string) =>
  transcript.flatMap((message) => (message.role === 'results' ? message.results : [])).filter((each) => each.id === id).map(({ result }) => ('reason' in result ? result.reason : result.outcome))
const refundsOn = ({ orderId }: Ticket): number => refunded.filter((each) => each === orderId).length

describe.concurrent('the tool loop', () => {
  test('goes on while a person is asked, as a new run too; the effect happens once, and a refusal is something to react to', async () => {
    const [late, quiet] = [await aTicket(), await aTicket()]
    const handle = await converse([
      { text: 'I sort both.', calls: [call('sort-1', 'TRIAGE_TICKET', late.id, { category: 'refund' }), call('sort-2', 'TRIAGE_TICKET', quiet.id, { category: 'question' })] },
      { after: { 'sort-1': 'allowed', 'sort-2': 'allowed' }, text: 'I refund one and write to the other.', calls: [call('refund-1', 'ISSUE_REFUND', late.id, { amountCents: 9_900, reason: 'late' }), call('write-2', 'SEND_OUTREACH', quiet.id, { channel: 'email', message: 'Hello' })] },
      { after: { 'write-2': 'forbidden', 'refund-1': 'pending' }, text: 'They do not want mail: a person should call.', calls: [call('escalate-2', 'ESCALATE_TO_HUMAN', quiet.id, { reason: 'no consent to be written to' })] },
      { after: { 'refund-1': 'allowed' }, text: 'All is done.' },
    ], { turnsPerRun: 1 })
    const first = (await handle.describe()).runId
    const approvalId = await stack.asked(late.id)
    await eventually(async () => (await states(stack, supportOps, quiet.id)).live?.value === 'AWAITING_HUMAN')
    expect((await stack.client.workflow.getHandle(handle.workflowId, first).describe()).status.name).toBe('CONTINUED_AS_NEW')
    const waitingRun = await eventually(async () => {
      const { runId, searchAttributes } = await handle.describe()
      return runId !== first && searchAttributes['KiffPendingApprovals']?.[0] === 1 && runId
    })
    expect(refundsOn(late)).toBe(0)

    await stack.review(approvalId, 'granted', 'lena')
    const transcript = await conversationOf(handle)
    expect(waitingRun).not.toBe(first)
    expect(answersTo(transcript, 'refund-1')).toEqual(['pending', 'allowed'])
    expect(answersTo(transcript, 'write-2')).toEqual(['forbidden'])
    expect(answersTo(transcript, 'escalate-2')).toEqual(['allowed'])
    expect(transcript.filter(({ role }) => role === 'model').at(-1)).toEqual({ role: 'model', text: 'All is done.', calls: [] })
    expect(refundsOn(late)).toBe(1)
    expect(await approvalsOf(stack, late.id)).toEqual([expect.objectContaining({ approval_id: approvalId, round: 1, status: 'consumed' })])
    expect((await states(stack, supportOps, late.id)).live).toEqual({ value: 'TRIAGED', version: 3 })
  })

  test('proposes the calls of one turn at the same time: one that waits holds no other up', async () => {
    const [one, two] = [await aTicket(), await aTicket()]
    const handle = await converse([
      { text: 'I sort both.', calls: [call('sort-1', 'TRIAGE_TICKET', one.id, { category: 'refund' }), call('sort-2', 'TRIAGE_TICKET', two.id, { category: 'refund' })] },
      { after: { 'sort-2': 'allowed' }, text: 'I refund both.', calls: [call('refund-1', 'ISSUE_REFUND', one.id, { amountCents: 9_900, reason: 'late' }), call('refund-2', 'ISSUE_REFUND', two.id, { amountCents: 100, reason: 'late' })] },
    ])
    await eventually(async () => refundsOn(two) === 1)
    await stack.review(await stack.asked(one.id), 'denied', 'lena')
    const transcript = await conversationOf(handle)
    expect(answersTo(transcript, 'refund-1').at(-1)).toBe('approval_denied')
    expect(answersTo(transcript, 'refund-2')).toEqual(['allowed'])
    expect(refundsOn(one)).toBe(0)
  })

  test('tells the model what was wrong with a call that makes no sense, and lets it try again', async () => {
    const ticket = await aTicket()
    const handle = await converse([
      { text: 'I guess.', calls: [call('guess-1', 'refund the customer!', ticket.id, {}), { id: 'guess-2', name: 'TRIAGE_TICKET', input: 'everything' }, { id: 'guess-3', name: 'TRIAGE_TICKET', input: { entityId: ticket.id, params: { category: 'anger' } } }] },
      { after: { 'guess-1': 'unknown_action', 'guess-2': 'invalid_parameter', 'guess-3': 'invalid_parameter' }, text: 'I see.', calls: [call('sort', 'TRIAGE_TICKET', ticket.id, { category: 'other' })] },
      { after: { sort: 'allowed' }, text: 'The same id for something else.', calls: [call('sort', 'TRIAGE_TICKET', ticket.id, { category: 'billing' })] },
      { after: { sort: 'invalid_parameter' }, text: 'Enough.' },
    ])
    const transcript = await conversationOf(handle)
    expect(transcript.at(-1)).toEqual({ role: 'model', text: 'Enough.', calls: [] })
    expect((await states(stack, supportOps, ticket.id)).live).toEqual({ value: 'TRIAGED', version: 2 })
  })

  test('takes its request back when it is cancelled', async () => {
    const ticket = await aTicket()
    const handle = await converse([
      { text: 'I sort it.', calls: [call('sort', 'TRIAGE_TICKET', ticket.id, { category: 'refund' })] },
      { after: { sort: 'allowed' }, text: 'I refund it.', calls: [call('refund', 'ISSUE_REFUND', ticket.id, { amountCents: 9_900, reason: 'late' })] },
    ])
    await stack.asked(ticket.id)
    await handle.cancel()
    await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } })
    expect(await approvalsOf(stack, ticket.id)).toEqual([expect.objectContaining({ status: 'withdrawn' })])
    expect(refundsOn(ticket)).toBe(0)
  })
})
