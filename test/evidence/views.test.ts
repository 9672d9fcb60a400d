import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Lifecycle } from '../../src/core/lifecycle.ts'
import { ledgerBody } from '../../src/core/ledger-row.ts'
import { aCommand } from '../e2e/a-command.ts'
import { aPaidOrder, recorded } from '../an-entity.ts'
import { checked, type Checked } from './a-checked-run.ts'
import { alterRow, appendRows, asOwner } from './tamper.ts'

let evidence: Checked
beforeAll(async () => { evidence = await checked() })
afterAll(() => evidence.stack.close())

async function run(...args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  const command = aCommand(args, { KIFF_STATE: '/nowhere', KIFF_AUDITOR_DATABASE_URL: evidence.stack.db.urls.auditor })
  const code = await command.exited
  return { code, out: command.lines.join('\n'), err: command.stderr().trim() }
}

async function lifecycleOf(entityId: string): Promise<Lifecycle & { readonly entity: string }> {
  const { out, err } = await run('lifecycle', entityId, '--json')
  if (err !== '') throw new Error(err)
  return JSON.parse(out) as Lifecycle & { entity: string }
}

/** A row about another domain's order of the same id. */
async function anotherOrder(entityId: string): Promise<void> {
  const step = { namespace: 'default', workflowId: 'w', firstExecutionRunId: 'r', runId: 'r', activityId: '1' }
  await appendRows(evidence.stack, 'run', `default/r-${entityId}/w`, [ledgerBody({
    kind: 'refused', step, domain: 'returns', entityType: 'Parcel', entityId, action: 'SEND', actor: 'bot',
    audit: [{ kind: 'action_failed', message: 'action validation failed', data: { action: 'SEND', status: 'skipped', error: '\u001b[2Jno' } }],
  })])
}

describe('lifecycle <entityId>', () => {
  test('tells of each proposal what became of it, and every stage', async () => {
    const { stack, aRefund } = evidence
    const { entityId, approvalId, handle } = await evidence.aGrantedRun()
    const { code, out, err } = await run('lifecycle', entityId)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(new RegExp(`^refunds/Order/${entityId} {2}REFUNDED\n {2}REFUND_ORDER +executed +support-agent-1 +\\S+Z {2}${handle.workflowId} {2}reviewed by maria\n\n`))
    expect(out).toMatch(/\n\S+Z {2}approval_required +support-agent-1 +REFUND_ORDER +above the autonomous limit/)
    await stack.run('propose', [aRefund(entityId, 4_300)])
    const told = await lifecycleOf(entityId)
    expect(told).toMatchObject({
      entity: `refunds/Order/${entityId}`, entityType: 'Order', currentState: 'REFUNDED',
      proposals: [{ disposition: 'executed', approvalIds: [approvalId], reviewedBy: ['maria'] }, { disposition: 'refused', reviewedBy: [], action: 'REFUND_ORDER' }],
    })
    expect(told.stages.map(({ kind }) => kind)).toEqual(await recorded(stack, entityId))
  })

  test('one that is held reads as awaiting approval, also while others are refused; then as denied', async () => {
    const { stack, aRefund } = evidence
    const entityId = await aPaidOrder(stack)
    const handle = await stack.start('propose', [aRefund(entityId, 99_900)])
    const approvalId = await stack.asked(entityId)
    await stack.run('propose', [aRefund(entityId, -1)])
    expect((await lifecycleOf(entityId)).proposals.map(({ disposition }) => disposition)).toEqual(['awaiting_approval', 'refused'])
    await stack.review(approvalId, 'denied', 'maria', 'not this one')
    await handle.result()
    const { proposals, currentState } = await lifecycleOf(entityId)
    expect(currentState).toBe('PAID')
    expect(proposals).toMatchObject([{ disposition: 'denied', reviewedBy: ['maria'], reason: 'not this one' }, { disposition: 'refused' }])
  })

  test('an id that could be two entities has to be told apart', async () => {
    const { entityId } = await evidence.aRun()
    await anotherOrder(entityId)
    expect(await run('lifecycle', entityId)).toEqual({ code: 2, out: '', err: `${entityId} could be refunds/Order/${entityId} or returns/Parcel/${entityId}; say which with --domain or --type` })
    expect((await run('lifecycle', entityId, '--type', 'Order')).out).toContain('executed')
    const parcel = await run('lifecycle', entityId, '--domain', 'returns')
    expect(parcel.out).toMatch(/^returns\/Parcel\/\S+ {2}has no state\n {2}SEND +refused +bot /)
    expect(parcel.out).not.toContain('\u001b')
    expect(await run('lifecycle', entityId, '--domain', 'payouts')).toMatchObject({ code: 1, err: `nothing is recorded about payouts/${entityId}; there is refunds/Order/${entityId}, returns/Parcel/${entityId}` })
    expect(await run('lifecycle', 'order-none')).toEqual({ code: 1, out: '', err: 'nothing is recorded about order-none' })
  })
})

describe('state <entityId>', () => {
  test('is what its events lead to', async () => {
    const { entityId, chain } = await evidence.aRun()
    expect(await run('state', entityId)).toEqual({ code: 0, err: '', out: `${chain} is REFUNDED, version 3\nits 3 events lead to REFUNDED, version 3: it matches` })
    const told = await run('state', entityId, '--json')
    const state = { value: 'REFUNDED', version: 3 }
    expect(JSON.parse(told.out)).toEqual({ entity: chain, kept: state, rebuilt: state, events: 3, problems: [], matches: true })
  })

  test('one that was moved by hand is found, with exit 5', async () => {
    const { entityId, chain } = await evidence.aRun()
    await asOwner(evidence.stack, (owner) => owner.query("update kiff.entities set state = 'PAID' where entity_id = $1", [entityId]))
    expect(await run('state', entityId)).toMatchObject({ code: 5, out: `${chain} is PAID, version 3\nits 3 events lead to REFUNDED, version 3: IT DIFFERS` })
    await asOwner(evidence.stack, (owner) => owner.query("update kiff.entities set state = 'REFUNDED', state_version = 2 where entity_id = $1", [entityId]))
    expect(await run('state', entityId)).toMatchObject({ code: 5 })
    await asOwner(evidence.stack, (owner) => owner.query('delete from kiff.entities where entity_id = $1', [entityId]))
    const gone = await run('state', entityId, '--json')
    expect(gone.code).toBe(5)
    expect(JSON.parse(gone.out)).toMatchObject({ kept: null, rebuilt: { value: 'REFUNDED' }, matches: false })
  })

  test('an event that the rules do not allow is named, though the state agrees', async () => {
    const { entityId, chain } = await evidence.aRun()
    await alterRow(evidence.stack, chain, 2, `body = replace(body, '"paymentId":"p-1"', '"paymentId":7')`)
    const { code, out } = await run('state', entityId)
    expect(code).toBe(5)
    expect(out).toMatch(/: IT DIFFERS\nrow 2: ORDER_PAID cannot be folded: payload\.paymentId.*$/)
  })

  test('an entity that no event was accepted for has none', async () => {
    const { entityId } = await evidence.aRun()
    await anotherOrder(entityId)
    expect(await run('state', entityId, '--type', 'Parcel')).toEqual({ code: 1, out: '', err: `returns/Parcel/${entityId} has no state: no event about it was ever accepted` })
  })
})

describe('timeline', () => {
  interface Told { readonly id: string; readonly kind: string; readonly actor_id: string; readonly entity_id: string; readonly correlation_id: string; readonly trace_id: string }
  async function told(...args: readonly string[]): Promise<readonly Told[]> {
    const { out } = await run('timeline', ...args, '--json')
    return out === '' ? [] : out.split('\n').map((line) => JSON.parse(line) as Told)
  }

  test('is filtered by kind, actor, trace and correlation, all of them together', async () => {
    const { entityId, handle } = await evidence.aRun()
    const all = await told(entityId)
    expect(Object.keys(all[0] ?? {})).toEqual(['id', 'kind', 'entity_type', 'entity_id', 'actor_id', 'message', 'data', 'trace_id', 'correlation_id', 'causation_id', 'created_at'])
    expect((await told(entityId, '--actor', 'shop')).map(({ id }) => id)).toEqual(all.filter((record) => record.actor_id === 'shop').map(({ id }) => id))
    expect((await told(entityId, '--kind', 'state_changed', '--actor', 'support-agent-1')).map(({ kind, actor_id: actor }) => `${kind} ${actor}`)).toEqual(['state_changed support-agent-1'])
    const trace = all.at(-1)?.trace_id ?? ''
    expect((await told('--trace', trace)).map(({ id }) => id)).toEqual(all.filter((record) => record.trace_id === trace).map(({ id }) => id))
    expect((await told('--correlation', handle.workflowId, '--kind', 'action_executed')).map((record) => record.entity_id)).toEqual([entityId])
    expect(await run('timeline', entityId, '--kind', 'action_teleported')).toMatchObject({ code: 1, out: '' })
  })

  test('comes in pages, each named by the last record of the one before', async () => {
    const { entityId } = await evidence.aRun()
    const all = await told(entityId)
    const first = await run('timeline', entityId, '--limit', '3', '--json')
    const last = all[2]?.id ?? ''
    expect(first).toMatchObject({ code: 0, err: `there is more: --after ${last}` })
    expect(first.out.split('\n')).toHaveLength(3)
    expect((await told(entityId, '--after', last)).map(({ id }) => id)).toEqual(all.slice(3).map(({ id }) => id))
    expect(await run('timeline', entityId, '--limit', String(all.length))).toMatchObject({ code: 0, err: '' })
    expect(await run('timeline', entityId, '--after', all.at(-1)?.id ?? '')).toEqual({ code: 0, out: '', err: '' })
    expect(await run('timeline', entityId, '--after', 'audit-1-999-1')).toMatchObject({ code: 2, err: 'there is no record audit-1-999-1; a page ends by naming its last one' })
    expect(await run('timeline', entityId, '--limit', '0')).toMatchObject({ code: 2, err: expect.stringContaining('at least 1') })
  })

  test('of everything goes by time, over all entities, and page after page gives each record once', async () => {
    const entityId = await aPaidOrder(evidence.stack)
    const { entityId: other } = await evidence.aRun()
    await evidence.stack.run('propose', [evidence.aRefund(entityId)])
    const everything = await told()
    const entities = everything.map((record) => record.entity_id)
    expect(entities.indexOf(entityId)).toBeLessThan(entities.indexOf(other))
    expect(entities.lastIndexOf(entityId)).toBeGreaterThan(entities.lastIndexOf(other))
    const paged: string[] = []
    for (let after: readonly string[] = []; ; ) {
      const page = await told('--limit', '40', ...after)
      paged.push(...page.map(({ id }) => id))
      if (page.length < 40) break
      after = ['--after', page.at(-1)?.id ?? '']
    }
    expect(paged).toEqual(everything.map(({ id }) => id))
    expect((await run('timeline', '--limit', '1')).out).toMatch(/^\S+ {2}\S+Z {2}\w+ /)
  })

  test('is as long as it is: read a page at a time, each record once', async () => {
    const step = { namespace: 'default', workflowId: 'w-long', firstExecutionRunId: 'r', runId: 'r', activityId: '1' }
    const body = ledgerBody({ kind: 'refused', step, domain: 'returns', entityType: 'Parcel', entityId: 'long-1', action: 'SEND', actor: 'bot', audit: [1, 2, 3].map((index) => ({ kind: 'action_failed', message: '', data: { index } })) })
    await appendRows(evidence.stack, 'run', 'default/r/w-long', Array.from({ length: 700 }, () => body))
    for (const by of [['long-1'], ['--correlation', 'w-long']]) {
      const ids = (await told(...by)).map(({ id }) => id)
      expect([ids.length, new Set(ids).size]).toEqual([2_100, 2_100])
    }
  })
})
