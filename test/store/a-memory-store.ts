/** The store in memory, as the tests of any store use it. */
import { createMemoryStore } from '../../src/testing/memory-store.ts'
import { ledgers } from './a-domain.ts'
import { members, over, type AnyStore } from './any-store.ts'

const yearMs = 365 * 86_400_000

export async function aMemoryStore(): Promise<AnyStore> {
  const memory = createMemoryStore([ledgers])
  const { tables } = memory
  for (const [actor, role] of Object.entries(members)) await memory.changeMembership({ kind: 'role_granted', domain: ledgers.name, actor, role, by: 'test' })
  return over({
    store: memory.gate,
    reviews: memory.reviews,
    register: memory.registerDomain,
    change: memory.changeMembership,
    async later(what) {
      const id = 'approval' in what ? what.approval : 'answer' in what ? what.answer : null
      const a = tables.approvals.get(id)
      if (a !== undefined) tables.approvals.put({ ...a, answerBy: a.answerBy - yearMs, useBy: 'answer' in what ? a.useBy : a.useBy - yearMs })
      for (const e of tables.executions.all()) {
        if ('lease' in what && e.executionKey === what.lease) tables.executions.put({ ...e, leaseUntil: e.leaseUntil - yearMs })
        if ('idempotence' in what && e.executionKey === what.idempotence && e.idempotentUntil !== null) tables.executions.put({ ...e, idempotentUntil: e.idempotentUntil - yearMs })
      }
    },
    ledger: async () => memory.ledger(),
    chains: async () => tables.chains.all().filter(({ seq }) => seq > 0),
    auditRecords: async (filter) => memory.auditRecords(filter),
    events: async () => memory.events(),
    decisions: async () => memory.decisions(),
    close: async () => {},
  })
}
