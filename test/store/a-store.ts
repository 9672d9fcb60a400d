/** The two stores in Postgres, on a database of their own, as the tests of Postgres itself use them. */
import { inject } from 'vitest'
import type { AuditRecord } from '../../src/core/audit-record.ts'
import { readAuditRecords } from '../../src/evidence/audit-records.ts'
import { inSnapshot } from '../../src/evidence/read-ledger.ts'
import { createGateStore } from '../../src/postgres/gate-store.ts'
import { createReviewStore } from '../../src/postgres/review-store.ts'
import { changeMembership, registerDomain } from '../../src/postgres/registry.ts'
import type { AuditedRow, DecisionRecord, EventRecord } from '../../src/testing/memory/views.ts'
import { aDatabase, type TestDatabase } from '../a-database.ts'
import { ledgers } from './a-domain.ts'
import { members, over, type AnyStore } from './any-store.ts'

export { again, aProposal, aStep, blocked, bodyOf, lastRow, leaseOf, nextActivity, noted, noToken, requestOf, type Action } from './any-store.ts'

export interface TestStore extends AnyStore {
  readonly db: TestDatabase
  /** Read as auditor. */
  readonly look: <Row extends object>(sql: string, values?: readonly unknown[]) => Promise<Row[]>
}

const at = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

export async function aStore(): Promise<TestStore> {
  const db = await aDatabase(inject('postgresAdminUrl'), [ledgers], members)
  const owner = db.pool('owner')
  const look: TestStore['look'] = async <Row extends object>(sql: string, values: readonly unknown[] = []) => (await db.pool('auditor').query<Row>(sql, [...values])).rows
  const any = await over({
    store: createGateStore(db.pool('gate')),
    reviews: createReviewStore(db.pool('reviewer')),
    register: (domain) => registerDomain(owner, domain),
    change: (change) => changeMembership(owner, change),
    async later(what) {
      if ('approval' in what) await owner.query("update kiff.approvals set answer_by = answer_by - interval '1 year', use_by = use_by - interval '1 year' where approval_id = $1", [what.approval])
      if ('answer' in what) await owner.query("update kiff.approvals set answer_by = answer_by - interval '1 year' where approval_id = $1", [what.answer])
      if ('lease' in what) await owner.query("update kiff.executions set lease_until = lease_until - interval '1 year' where execution_key = $1", [what.lease])
      if ('idempotence' in what) await owner.query("update kiff.executions set idempotent_until = idempotent_until - interval '1 year' where execution_key = $1", [what.idempotence])
    },
    ledger: () => look<AuditedRow>(`
      select c.kind as "chainKind", c.key as chain, l.seq::float8 as seq, ${at('l.at')} as at, l.body, encode(l.digest, 'hex') as digest, encode(l.prev, 'hex') as prev, encode(l.hash, 'hex') as hash
      from kiff.ledger l join kiff.chains c using (chain) order by l.chain, l.seq`),
    chains: () => look("select kind, key, seq::float8 as seq, encode(head, 'hex') as head from kiff.chains where seq > 0 order by chain"),
    auditRecords: (filter = {}) => inSnapshot(db.pool('auditor'), async (snapshot) => {
      const records: AuditRecord[] = []
      for await (const record of readAuditRecords(snapshot, filter)) records.push(record)
      return records
    }),
    events: () => look<EventRecord>(`
      select id, type, entity_type, entity_id, actor_id, from_state, to_state, payload, source, ${at('occurred_at')} as occurred_at, trace_id, correlation_id, causation_id, tags
      from kiff.events order by chain, seq, position`),
    decisions: () => look<DecisionRecord>('select entity_id, proposed_action, parameters, claim, outcome, reason, actor_id from kiff.decisions order by chain, seq'),
    close: () => db.close(),
  })
  return { ...any, db, look }
}
