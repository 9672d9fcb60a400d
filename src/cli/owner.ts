/** Commands that change the registry: one small pool with the owner's login. */
import { openPool, type Pool } from '../postgres/connect.ts'
import { exit, Failure } from './exit.ts'
import { readyStack, setIn } from './where.ts'

/** @throws Failure, one sentence, when no database is named, it cannot be reached, or this login may not change it */
export async function withOwner<T>(flag: string | undefined, work: (owner: Pool) => Promise<T>): Promise<T> {
  const url = flag ?? setIn('KIFF_OWNER_DATABASE_URL') ?? (await readyStack())?.database.owner
  if (url === undefined) throw new Failure('no database: run "npm start" here, set KIFF_OWNER_DATABASE_URL, or give --database', exit.usage)
  const owner = open(url)
  try {
    await ready(owner)
    return await work(owner)
  } finally {
    await owner.end()
  }
}

function open(url: string): Pool {
  try {
    return openPool(url, { max: 1, name: 'kiff-owner' })
  } catch (error) {
    throw new Failure(error instanceof Error ? error.message : String(error), exit.usage)
  }
}

async function ready(owner: Pool): Promise<void> {
  let held: { readonly migrated: boolean; readonly mayChange: boolean } | undefined
  try {
    const { rows } = await owner.query<{ migrated: boolean; mayChange: boolean }>(
      `select to_regprocedure('kiff.change_membership(text)') is not null as migrated,
         coalesce(has_table_privilege(to_regclass('kiff.memberships'), 'insert'), false) as "mayChange"`)
    held = rows[0]
  } catch (error) {
    // Node tells of several addresses that all refused in an error without words.
    const told = error instanceof AggregateError ? error.errors.map(String).join('; ') : error instanceof Error ? error.message : String(error)
    throw new Failure(`the owner's database cannot be reached: ${told}`)
  }
  if (held?.migrated !== true) throw new Failure('the database has no registry that this login may see; run "kiff-temporal migrate", and use the kiff_owner login')
  if (!held.mayChange) throw new Failure('this login may not change who holds a role; use the kiff_owner login')
}
