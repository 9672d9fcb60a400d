/** A migrated database of its own, on the test run's one Postgres, with the four logins. */
import { randomUUID } from 'node:crypto'
import type { Domain } from '../src/core/domain.ts'
import { bootstrapDatabase, type Login } from '../src/postgres/bootstrap.ts'
import { openPool, type Pool } from '../src/postgres/connect.ts'
import { migrate } from '../src/postgres/migrate.ts'
import { changeMembership, registerDomain } from '../src/postgres/registry.ts'

/** Roles belong to the whole server, so that every file must use the same passwords. */
const passwords = { owner: 'owner-test', gate: 'gate-test', reviewer: 'reviewer-test', auditor: 'auditor-test' }

export interface TestDatabase {
  readonly urls: Readonly<Record<Login, string>>
  readonly pool: (login: Login) => Pool
  readonly close: () => Promise<void>
}

/** @param members who holds which role: `{ 'support-agent-1': 'support-agent' }`, in every domain given that has the role */
export async function aDatabase(adminUrl: string, domains: readonly Domain[], members: Readonly<Record<string, string>>): Promise<TestDatabase> {
  const urls = await bootstrapDatabase(adminUrl, `kiff_${randomUUID().replaceAll('-', '')}`, passwords)
  await migrate(urls.owner)
  const pools = new Map<Login, Pool>()
  const pool = (login: Login): Pool => {
    const open = pools.get(login) ?? openPool(urls[login], { name: `test-${login}`, max: 6 })
    pools.set(login, open)
    return open
  }
  for (const domain of domains) {
    await registerDomain(pool('owner'), domain)
    for (const [actor, role] of Object.entries(members)) {
      if (Object.hasOwn(domain.roles, role)) await changeMembership(pool('owner'), { kind: 'role_granted', domain: domain.name, actor, role, by: 'test' })
    }
  }
  return {
    urls, pool,
    async close() {
      await Promise.all([...pools.values()].map((open) => open.end()))
    },
  }
}
