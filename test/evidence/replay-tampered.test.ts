import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'
import { replayCheck } from '../../src/evidence/replay.ts'
import type { Stack } from '../a-stack.ts'
import { aPaidOrder } from '../an-entity.ts'
import { checked, failed, kinds, type Checked } from './a-checked-run.ts'
import { alterRow, appendRows, asOwner, deleteRow, edited, governedEvents, inPayload, resultPayloads, rewriteFrom } from './tamper.ts'

let stack: Stack
let aRefund: Checked['aRefund']
let aRun: Checked['aRun']
let aGrantedRun: Checked['aGrantedRun']
let check: Checked['check']
let history: Checked['history']
let bundle: Checked['bundle']

beforeAll(async () => {
  ;({ stack, aRefund, aRun, aGrantedRun, check, history, bundle } = await checked())
})
afterAll(() => stack.close())

describe('a history that was edited', () => {
  test('names the step whose input was changed, though replay alone does not notice', async () => {
    const run = await aRun((entityId) => [aRefund(entityId, 4_200, { action: 'NO_SUCH_ACTION' }), aRefund(entityId)])
    const changed = edited(await history(run), (json) => inPayload(governedEvents(json)[1]?.input.payloads[0], (text) => text.replace('4200', '42')))
    const report = await check(run, { history: changed })
    expect(kinds(report)).not.toContain('nondeterminism')
    expect(failed(report)).toEqual(['2 input', '2 row', '2 key'])
    expect(report.steps[1]?.problem).toBe('the recorded input is not what the workflow code proposes: input.0.params.amountCents is 42, not 4200')
  })

  test('names the step whose result was changed', async () => {
    const run = await aRun((entityId) => [aRefund(entityId), aRefund(entityId)])
    const changed = edited(await history(run), (json) => inPayload(resultPayloads(json)[0], (text) => text.replace(/"refundId":"[^"]*"/, '"refundId":"r-0"')))
    expect(failed(await check(run, { history: changed }))).toEqual(['1 outcome'])
  })

  test('names the step whose refusal was turned into an answer', async () => {
    const run = await aRun((entityId) => [aRefund(entityId), aRefund(entityId)])
    const changed = edited(await history(run), (json) =>
      inPayload(resultPayloads(json)[1], (text) => JSON.stringify({ outcome: 'allowed', output: {}, summary: 'x', record: (JSON.parse(text) as { record: unknown }).record })))
    const report = await check(run, { history: changed })
    expect(failed(report)).toEqual(['2 outcome'])
    expect(report.findings).toEqual([expect.objectContaining({ kind: 'outcome', step: 2 })])
  })

  test('names a child whose parent was changed: its keys are its place below that parent', async () => {
    const entityId = await aPaidOrder(stack)
    const parent = await stack.start('startChild', ['propose', [aRefund(entityId)]])
    await parent.result()
    const { events } = await parent.fetchHistory()
    const child = (events ?? []).flatMap(({ childWorkflowExecutionStartedEventAttributes: started }) => started?.workflowExecution?.workflowId ?? [])
    const run = { handle: stack.client.workflow.getHandle(child[0] ?? '') }
    const changed = edited(await history(run), (json) => {
      const parentOf = json.events[0]?.workflowExecutionStartedEventAttributes?.parentWorkflowExecution
      if (parentOf) parentOf.workflowId = 'another'
    })
    const report = await check(run, { history: changed })
    expect(report.steps[0]?.problem).toBe('the input claims another parent than the history has')
  })

  test('names words that were changed where the ledger has none', async () => {
    const run = await aRun()
    const changed = edited(await history(run), (json) => inPayload(resultPayloads(json)[0], (text) => text.replace('Refund €42.00', 'Refund €1.00')))
    expect(failed(await check(run, { history: changed }))).toEqual(['1 outcome'])
  })

  test('names a step that the workflow code would not have taken', async () => {
    const run = await aRun((entityId) => [aRefund(entityId), aRefund(entityId)])
    const changed = edited(await history(run), (json) => {
      const scheduled = governedEvents(json)[1]
      if (scheduled) scheduled.activityType.name = 'refunds.ANOTHER_ACTION'
    })
    const report = await check(run, { history: changed })
    expect(report.findings[0]).toMatchObject({ kind: 'nondeterminism', message: expect.stringContaining('ANOTHER_ACTION') })
  })

  test('misses no step that the ledger has and the history has not', async () => {
    const run = await aRun((entityId) => [aRefund(entityId), aRefund(entityId, 4_200, { action: 'NO_SUCH_ACTION' })])
    const changed = edited(await history(run), (json) => {
      const last = json.events.findLastIndex((event) => event.activityTaskScheduledEventAttributes !== undefined)
      json.events.splice(last)
    })
    expect(kinds(await check(run, { history: changed }))).toEqual(['step_missing'])
  })

  test('an open history that has grown since is read again', async () => {
    const run = await aRun((entityId) => [aRefund(entityId), aRefund(entityId, 4_200, { action: 'NO_SUCH_ACTION' })])
    const now = await history(run)
    const before = edited(now, (json) => { json.events.splice(json.events.findLastIndex((event) => event.activityTaskScheduledEventAttributes !== undefined)) })
    const report = await replayCheck({ history: before, bundle, auditor: stack.db.pool('auditor'), domains: [refunds], refetch: async () => now })
    expect(report).toMatchObject({ ok: true, steps: [{}, {}] })
  })
})

describe('a ledger that was altered', () => {
  test('names the step whose row was altered', async () => {
    const run = await aRun()
    await alterRow(stack, run.chain, 3, "body = replace(body, '4200', '42')")
    const report = await check(run)
    expect(failed(report)).toEqual(['1 row', '1 chain'])
    expect(kinds(report)).toEqual(['body_altered', 'row'])
  })

  test('names the step whose row says another caller\'s key than its input', async () => {
    const run = await aRun((entityId) => [aRefund(entityId, 4_200, { callerKey: `request-${entityId}` })])
    expect((await check(run)).ok).toBe(true)
    await alterRow(stack, run.chain, 3, `body = replace(body, '"caller_key":"request-', '"caller_key":"another-')`)
    const report = await check(run)
    expect(failed(report)).toEqual(['1 row', '1 chain'])
    expect(report.steps[0]?.problem).toContain('caller_key')
  })

  test('names the step whose row is gone', async () => {
    const run = await aRun()
    await deleteRow(stack, run.chain, 4)
    expect(failed(await check(run))).toEqual(['1 record', '1 chain', '1 state'])
  })

  test('names the step whose rows are gone, with a chain that was made to fit', async () => {
    const run = await aRun()
    await deleteRow(stack, run.chain, 4)
    await deleteRow(stack, run.chain, 3)
    const owner = stack.db.pool('owner')
    await owner.query('update kiff.chains c set seq = 2, head = (select hash from kiff.ledger l where l.chain = c.chain and l.seq = 2) where key = $1', [run.chain])
    await owner.query("update kiff.entities set state = 'PAID', state_version = 2 where entity_id = $1", [run.entityId])
    const report = await check(run)
    expect(failed(report)).toEqual(['1 row', '1 record'])
    expect(report.steps[0]?.problem).toBe('history has completed it, but the gate has written no row')
  })

  test("a chain that was rewritten to its end verifies by itself; Temporal's history knows better", async () => {
    const run = await aRun()
    await rewriteFrom(stack, run.chain, 2, (body) => body.replace('p-1', 'p-2'))
    const report = await check(run)
    expect(failed(report)).toEqual(['1 record'])
    expect(report.steps[0]?.problem).toMatch(/^history holds hash [\da-f]{16}… for row refunds\/Order\/order-.*#4, the ledger /)
  })

  test('names the step whose execution key was altered', async () => {
    const run = await aRun()
    await alterRow(stack, run.chain, 3, `body = regexp_replace(body, '"execution_key":"....', '"execution_key":"0000')`)
    expect(failed(await check(run))).toContain('1 key')
  })

  test('names a hash that was rewritten', async () => {
    const run = await aRun()
    await alterRow(stack, run.chain, 4, "hash = sha256('x')")
    expect(failed(await check(run))).toEqual(['1 record', '1 chain'])
  })

  test('names the entity whose state was altered', async () => {
    const run = await aRun()
    await stack.db.pool('owner').query("update kiff.entities set state = 'PAID' where entity_id = $1", [run.entityId])
    const report = await check(run)
    expect(failed(report)).toEqual(['1 state'])
    expect(kinds(report)).toEqual(['state_mismatch'])
  })

  test('names a row that no step of the workflow accounts for', async () => {
    const run = await aRun()
    const { rows } = await stack.db.pool('auditor').query<{ body: string }>('select body from kiff.ledger join kiff.chains c using (chain) where c.key = $1 and ledger.seq = 3', [run.chain])
    await appendRows(stack, 'entity', run.chain, rows.map(({ body }) => body.replace('"activity_id":"1"', '"activity_id":"9"')))
    const report = await check(run)
    expect(kinds(report)).toEqual(['step_missing'])
    expect(report.findings[0]?.message).toContain('activity 9')
  })

  test('names a run that needed an approval, and had none', async () => {
    const run = await aRun()
    // As a stolen gate login would have it: the amount is what the workflow proposed, but nobody was asked.
    const { REFUND_ORDER } = refunds.actions
    const inspect: typeof REFUND_ORDER.inspect = (entityId, params) => {
      const inspection = REFUND_ORDER.inspect(entityId, params)
      if (!inspection.ok) return inspection
      const { action } = inspection
      return { ok: true, action: { ...action, on: (facts) => ({ ...action.on(facts), approvalRule: () => 'always' }) } }
    }
    const report = await check(run, { domains: [{ ...refunds, actions: { REFUND_ORDER: { ...REFUND_ORDER, inspect } } }] })
    expect(failed(report)).toEqual(['1 outcome'])
    expect(report.steps[0]?.problem).toContain('by its contract it is approval required: always')
  })

  test('names a review that was replaced', async () => {
    const run = await aGrantedRun()
    await asOwner(stack, (owner) => owner.query("update kiff.reviews set jws = 'a.b.c' where approval_id = $1", [run.approvalId]))
    expect(failed(await check(run))).toEqual(['1 chain', '2 review', '2 chain']) // the chain holds the signature's hash
  })

  test('names a grant whose request was replaced', async () => {
    const run = await aGrantedRun()
    await stack.db.pool('owner').query(
      `update kiff.approvals set request = replace(request, '99900', '99'), digest = sha256(convert_to(replace(request, '99900', '99'), 'UTF8')) where approval_id = $1`, [run.approvalId])
    const report = await check(run)
    expect(failed(report)).toEqual(['2 review'])
    expect(report.steps[1]?.problem).toContain('params.amountCents is 99, not 99900')
  })
})

