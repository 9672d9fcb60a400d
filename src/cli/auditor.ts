/** Commands that only read: one small pool with the auditor's login. */
import { openPool, type Pool } from '../postgres/connect.ts'
import { exit, Failure } from './exit.ts'
import { auditorUrl } from './where.ts'

/** @throws Failure, one sentence, when the database cannot be reached or is not ours */
export async function withAuditor<T>(flag: string | undefined, work: (auditor: Pool) => Promise<T>): Promise<T> {
  const auditor = open(await auditorUrl(flag))
  try {
    await ready(auditor)
    return await work(auditor)
  } finally {
    await auditor.end()
  }
}

function open(url: string): Pool {
  try {
    return openPool(url, { max: 2, name: 'kiff-auditor' })
  } catch (error) {
    throw new Failure(error instanceof Error ? error.message : String(error), exit.usage)
  }
}

async function ready(auditor: Pool): Promise<void> {
  let migrated: boolean
  try {
    const { rows } = await auditor.query<{ migrated: boolean }>("select to_regclass('kiff.ledger') is not null as migrated")
    migrated = rows[0]?.migrated === true
  } catch (error) {
    // Node tells of several addresses that all refused in an error without words.
    const told = error instanceof AggregateError ? error.errors.map(String).join('; ') : error instanceof Error ? error.message : String(error)
    throw new Failure(`the auditor's database cannot be reached: ${told}`)
  }
  if (!migrated) throw new Failure('the database has no ledger that this login may read; run "kiff-temporal migrate", and use the kiff_auditor login')
}
