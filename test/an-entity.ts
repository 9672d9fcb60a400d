/** Entities in the state a test starts from, and what the evidence says of them. */
import { randomUUID } from 'node:crypto'
import type { Domain } from '../src/core/domain.ts'
import { rebuildState, type EntityState, type KiffEvent } from '../src/core/state.ts'
import type { Stack } from './a-stack.ts'

/** An order in state PAID, reported by `shop`. */
export async function aPaidOrder(stack: Stack, entityId = `order-${randomUUID()}`): Promise<string> {
  await stack.run('report', [stack.queues.gate, 'shop', [
    { event: 'ORDER_PLACED', entityId, payload: { amountCents: 100_000 } },
    { event: 'ORDER_PAID', entityId, payload: { paymentId: 'p-1' } },
  ]])
  return entityId
}

/** An account in state OPEN, reported by `clerk`. */
export async function anAccount(stack: Stack, entityId = `account-${randomUUID()}`): Promise<string> {
  await stack.run('report', [stack.queues.gate, 'clerk', [{ event: 'OPENED', entityId, payload: {} }], 'ledgers'])
  return entityId
}

/** What has been recorded of an entity, as kinds of audit records. */
export async function recorded(stack: Stack, entityId: string): Promise<readonly string[]> {
  return (await stack.audit(entityId)).map(({ kind }) => kind)
}

/** Audit records of a workflow, also those on its own run chain, which concern no entity. */
export async function recordedOf(stack: Stack, workflowId: string): Promise<readonly { readonly kind: string; readonly data: Record<string, unknown>; readonly actor_id: string }[]> {
  const { rows } = await stack.db.pool('auditor').query('select kind, data, actor_id from kiff.audit_records where correlation_id = $1 order by chain, seq, position', [workflowId])
  return rows
}

/** The live state of an entity beside the one that its events alone lead to. */
export async function states(stack: Stack, domain: Domain, entityId: string): Promise<{ readonly live: EntityState | null; readonly rebuilt: EntityState | null }> {
  const auditor = stack.db.pool('auditor')
  const live = await auditor.query<{ entity_type: string; value: string; version: string }>('select entity_type, state as value, state_version as version from kiff.entities where entity_id = $1', [entityId])
  const events = await auditor.query<KiffEvent>('select id, type, payload from kiff.events where entity_id = $1 order by seq, position', [entityId])
  const [row] = live.rows
  if (row === undefined) return { live: null, rebuilt: events.rows.length === 0 ? null : { value: 'events without an entity', version: events.rows.length } }
  const entity = domain.entities[row.entity_type]
  return { live: { value: row.value, version: Number(row.version) }, rebuilt: entity === undefined ? null : rebuildState(entity, events.rows) }
}

/** An approval's row, as an auditor sees it. */
export async function approval(stack: Stack, approvalId: string): Promise<{ readonly status: string; readonly request: Record<string, unknown>; readonly closed: boolean }> {
  const { rows } = await stack.db.pool('auditor').query('select status, request::jsonb as request, closed_seq is not null as closed from kiff.approvals where approval_id = $1', [approvalId])
  return rows[0]
}

/** Every approval ever asked for on an entity, in turn. */
export async function approvalsOf(stack: Stack, entityId: string): Promise<readonly { readonly approval_id: string; readonly execution_key: string; readonly round: number; readonly status: string; readonly workflow_run: string }[]> {
  const { rows } = await stack.db.pool('auditor').query("select approval_id, execution_key, round, status, first_execution_run_id as workflow_run from kiff.approvals where request::jsonb ->> 'entity_id' = $1 order by answer_by, round", [entityId])
  return rows
}

/** The JWS of a recorded review. */
export async function jwsOf(stack: Stack, approvalId: string): Promise<string> {
  const { rows } = await stack.db.pool('auditor').query<{ jws: string }>('select jws from kiff.reviews where approval_id = $1', [approvalId])
  return rows[0]?.jws ?? ''
}

/** Puts both deadlines of an approval into the past, as if that long had gone by. */
export async function letTimePass(stack: Stack, approvalId: string): Promise<void> {
  await stack.db.pool('owner').query("update kiff.approvals set answer_by = answer_by - interval '30 days', use_by = use_by - interval '30 days' where approval_id = $1", [approvalId])
}
