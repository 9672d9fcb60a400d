/** What each of the four logins may do, compared with reality both ways: a new table or function without a deliberate grant fails here. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Login } from '../../src/postgres/bootstrap.ts'
import { again, aProposal, aStore, type TestStore } from '../store/a-store.ts'

/** The deliberate grants. Whatever is not here must be refused. */
const mayExecute: Readonly<Record<Login, readonly string[]>> = {
  gate: [
    'apply_reconciliation', 'complete_execution', 'due_reconciliations', 'execute_pure', 'mark_in_doubt', 'open_execution', 'overdue_executions', 'read_facts', 'record_answer',
    'record_contradiction', 'registered_contracts', 'reject_reconciliation', 'report_event', 'request_approval', 'resume_execution', 'yield_lease',
  ],
  reviewer: [
    'close_approval', 'delivery_attempted', 'due_deliveries', 'list_approvals', 'list_in_doubt', 'open_rounds', 'overdue_rounds', 'record_reconciliation',
    'record_refused_reconciliation', 'record_refused_review', 'record_review', 'revoke_approval', 'rounds_of', 'show_approval', 'show_in_doubt',
  ],
  auditor: ['link'],
  // What no login but the owner's may call: parts that the functions above are made from, and the owner's own two.
  owner: [
    'append', 'append_answer', 'approval_row', 'change_membership', 'close_round', 'consume_grant', 'contract_permits', 'entity_is_held', 'entity_key', 'event_content',
    'execution_facts', 'fits_reconciliation', 'fold_events', 'guard_holds', 'holds', 'is_about', 'is_in_doubt', 'link', 'lock_chain', 'lock_chain_of', 'lock_execution', 'may_reconcile', 'may_review', 'may_void', 'ms_until',
    'only_filled_in', 'past_events', 'permissions_of', 'reconcilers_of', 'reconciliation_request', 'record_ref', 'recorded_call', 'refuse_rewrite', 'register_domain', 'run_key', 'says_the_same', 'was_contradicted',
  ],
}
const tables = [
  'actors', 'approvals', 'calls', 'chains', 'consumptions', 'contracts', 'deliveries', 'entities', 'event_ids', 'executions', 'ledger', 'memberships', 'reconciliations', 'reviews',
  'role_epochs', 'role_permissions', 'stateless', 'transitions',
]
const views = ['audit_records', 'decisions', 'events']
const logins: readonly Login[] = ['gate', 'reviewer', 'auditor', 'owner']

interface SqlFunction {
  readonly name: string
  readonly types: string
  readonly definer: boolean
  readonly owner: string
  readonly config: readonly string[] | null
}

let it: TestStore
let functions: readonly SqlFunction[]

beforeAll(async () => {
  it = await aStore()
  // A row in every table, so that a trigger on rows has something to fire on.
  const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
  const approvalId = await it.granted(proposal)
  await it.open(again(proposal), { approvalId })
  await it.complete(again(proposal))
  await it.reconcile(await it.inDoubt(), 'olga')
  functions = await it.look<SqlFunction>(`
    select proname as name, oidvectortypes(proargtypes) as types, prosecdef as definer, proowner::regrole::text as owner, proconfig as config
    from pg_proc where pronamespace = 'kiff'::regnamespace order by proname`)
})
afterAll(() => it.close())

/** The SQLSTATE with which a login's statement ends; `undefined` when it is done. Nothing it does stays. */
async function codeOf(login: Login, sql: string): Promise<string | undefined> {
  const client = await it.db.pool(login).connect()
  try {
    await client.query('begin')
    await client.query(sql)
    return undefined
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'no SQLSTATE'
  } finally {
    await client.query('rollback')
    client.release()
  }
}

const refused = '42501'

/** The statements of a list that a login may do after all. */
async function allowedOf(login: Login, statements: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const sql of statements) if ((await codeOf(login, sql)) !== refused) found.push(`${sql} → ${await codeOf(login, sql)}`)
  return found
}

function callOf({ name, types }: SqlFunction): string {
  const args = types === '' ? '' : types.split(', ').map((type) => `null::${type}`).join(', ')
  return `select kiff.${name}(${args})`
}

test('the schema holds these tables, these views, and no other relation that holds anything', async () => {
  const relations = await it.look<{ relname: string; relkind: string }>(`
    select relname, relkind::text from pg_class where relnamespace = 'kiff'::regnamespace and relkind not in ('i', 'I', 'c') order by relname`)
  const ofKind = (...kinds: string[]) => relations.filter(({ relkind }) => kinds.includes(relkind)).map(({ relname }) => relname)
  expect(ofKind('r', 'p', 'f', 'm')).toEqual(tables)
  expect(ofKind('v')).toEqual(views)
  expect(ofKind('S')).toEqual(['chains_chain_seq'])
})

describe.each(logins)('functions, as %s', (login) => {
  test('the right to execute is exactly what was granted', async () => {
    const may = await it.look<{ proname: string }>(`select proname from pg_proc where pronamespace = 'kiff'::regnamespace and has_function_privilege($1, oid, 'execute') order by proname`, [`kiff_${login}`])
    expect(may.map(({ proname }) => proname)).toEqual(mayExecute[login])
  })

  test('a real call of every other function is refused', async () => {
    const others = functions.filter(({ name }) => !mayExecute[login].includes(name))
    expect(others.length).toBeGreaterThan(10)
    expect(await allowedOf(login, others.map(callOf))).toEqual([])
  })

  test('a real call of those granted is not refused', async () => {
    const own = functions.filter(({ name }) => mayExecute[login].includes(name))
    expect(own).toHaveLength(mayExecute[login].length)
    const codes = await Promise.all(own.map(async (each) => [each.name, await codeOf(login, callOf(each))]))
    expect(codes.filter(([, code]) => code === refused)).toEqual([])
  })
})

test('no function has two shapes, of which one may have been forgotten', () => {
  expect(new Set(functions.map(({ name }) => name)).size).toBe(functions.length)
})

describe('functions that run with more rights than their caller', () => {
  test('belong to the definer, and look names up in kiff alone', () => {
    const granted = [...mayExecute.gate, ...mayExecute.reviewer].sort()
    expect(functions.filter(({ definer }) => definer).map(({ name }) => name)).toEqual(granted)
    for (const { name, owner, config } of functions.filter(({ definer }) => definer)) {
      expect({ name, owner, config }).toEqual({ name, owner: 'kiff_definer', config: ['search_path=kiff, pg_temp'] })
    }
  })

  test('belong to a role that cannot log in, and that nobody but the owner can become', async () => {
    const [definer] = await it.look(`select rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls from pg_roles where rolname = 'kiff_definer'`)
    expect(Object.values(definer ?? { missing: true })).toEqual([false, false, false, false, false, false])
    const members = await it.look<{ member: string }>(`select member::regrole::text as member from pg_auth_members where roleid = 'kiff_definer'::regrole and member::regrole::text like 'kiff%'`)
    expect(members).toEqual([{ member: 'kiff_owner' }])
  })

  test('can make nothing in the schema', async () => {
    expect(await it.look(`select has_schema_privilege('kiff_definer', 'kiff', 'create') as creates`)).toEqual([{ creates: false }])
  })

  test('can insert, and move counters and states on; they can delete nothing and alter no evidence', async () => {
    const rights = await it.look<{ relname: string; deletes: boolean; inserts: boolean; updates: string[] }>(`
      select relname, has_table_privilege('kiff_definer', oid, 'delete') or has_table_privilege('kiff_definer', oid, 'truncate') or has_table_privilege('kiff_definer', oid, 'trigger') as deletes,
        has_table_privilege('kiff_definer', oid, 'insert') as inserts,
        array(select attname::text from pg_attribute a where attrelid = pg_class.oid and attnum > 0 and has_column_privilege('kiff_definer', pg_class.oid, attnum, 'update') order by attname) as updates
      from pg_class where relnamespace = 'kiff'::regnamespace and relkind = 'r' order by relname`)
    expect(rights.filter(({ deletes }) => deletes)).toEqual([])
    expect(rights.filter(({ inserts }) => !inserts).map(({ relname }) => relname)).toEqual(['actors', 'contracts', 'memberships', 'role_epochs', 'role_permissions', 'stateless', 'transitions'])
    expect(Object.fromEntries(rights.filter(({ updates }) => updates.length > 0).map(({ relname, updates }) => [relname, updates]))).toEqual({
      approvals: ['closed_seq', 'status'],
      chains: ['head', 'seq'],
      deliveries: ['attempts', 'last_error', 'next_at'],
      entities: ['state', 'state_version'],
      executions: ['answer', 'closed_seq', 'completion_rejected', 'contradicted_seq', 'lease_token', 'lease_until', 'reconciliation_rejected', 'reconciling', 'status'],
      role_epochs: ['epoch'],
    })
  })
})

/** Every way to touch a table's rows. */
async function statementsOn(relations: readonly string[], verbs: readonly ('select' | 'insert' | 'update' | 'delete' | 'truncate' | 'lock' | 'copy')[]): Promise<string[]> {
  const columns = await it.look<{ relname: string; attname: string }>(`select relname, attname from pg_class join pg_attribute on attrelid = pg_class.oid where relnamespace = 'kiff'::regnamespace and attnum = 1`)
  return relations.flatMap((table) => {
    const column = columns.find(({ relname }) => relname === table)?.attname ?? 'missing'
    const sql = {
      select: `select from kiff.${table} limit 0`, insert: `insert into kiff.${table} default values`, update: `update kiff.${table} set ${column} = default`,
      delete: `delete from kiff.${table}`, truncate: `truncate kiff.${table} cascade`, lock: `lock table kiff.${table} in access share mode`, copy: `copy kiff.${table} to stdout`,
    }
    return verbs.map((verb) => sql[verb])
  })
}

describe.each(['gate', 'reviewer'] as const)('tables, as %s', (login) => {
  test('no row can be read, written, or locked', async () => {
    const onTables = await statementsOn(tables, ['select', 'insert', 'update', 'delete', 'truncate', 'lock', 'copy'])
    const onViews = await statementsOn(views, ['select'])
    expect(await allowedOf(login, [...onTables, ...onViews, "select nextval('kiff.chains_chain_seq')", 'select from public.kiff_migrations'])).toEqual([])
  })

  test('no right exists, on a table, a view, a sequence, or a single column', async () => {
    const rights = await it.look(`
      select relname from pg_class where relnamespace in ('kiff'::regnamespace, 'public'::regnamespace) and relkind in ('r', 'v', 'm', 'p', 'f')
        and (has_table_privilege($1, oid, 'select, insert, update, delete, truncate, references, trigger') or has_any_column_privilege($1, oid, 'select, insert, update, references'))
      union all select relname from pg_class where relnamespace = 'kiff'::regnamespace and case relkind when 'S' then has_sequence_privilege($1, oid, 'usage, select, update') end`, [`kiff_${login}`])
    expect(rights).toEqual([])
  })
})

describe('tables, as auditor', () => {
  test('everything in the schema can be read', async () => {
    const codes = await Promise.all((await statementsOn([...tables, ...views], ['select'])).map(async (sql) => codeOf('auditor', sql)))
    expect(new Set(codes)).toEqual(new Set([undefined]))
  })

  test('nothing can be written', async () => {
    expect(await allowedOf('auditor', [...(await statementsOn(tables, ['insert', 'update', 'delete', 'truncate'])), "select nextval('kiff.chains_chain_seq')"])).toEqual([])
  })
})

describe.each(['gate', 'reviewer', 'auditor'] as const)('everything else, as %s', (login) => {
  test('nothing can be made, changed or dropped', async () => {
    expect(await allowedOf(login, [
      'create table kiff.mine ()', 'create table public.mine ()', 'create temporary table mine ()', 'create schema mine', 'create view kiff.mine as select 1',
      'create function kiff.mine() returns int language sql return 1', 'create function public.mine() returns int language sql return 1', 'create function pg_temp.mine() returns int language sql return 1',
      'create trigger mine before insert on kiff.ledger execute function kiff.refuse_rewrite()', 'create extension pgcrypto schema kiff', 'create role mine', 'create publication mine for all tables',
      'alter table kiff.ledger disable trigger user', 'alter function kiff.read_facts(jsonb) security invoker', 'alter function kiff.read_facts(jsonb) reset search_path',
      'drop trigger append_only on kiff.ledger', 'drop table kiff.reviews cascade', 'drop function kiff.consume_grant', 'drop schema kiff cascade',
      'grant execute on function kiff.append to public', `grant kiff_owner to kiff_${login}`, 'alter default privileges for role kiff_owner grant select on tables to public',
    ])).toEqual([])
  })

  test('nobody else can be become', async () => {
    const others = ['kiff_definer', 'kiff_owner', 'kiff_gate', 'kiff_reviewer', 'kiff_auditor', 'postgres'].filter((role) => role !== `kiff_${login}`)
    expect(await allowedOf(login, [...others.flatMap((role) => [`set role ${role}`, `set session authorization ${role}`]), `alter role kiff_${login} superuser`, `alter role kiff_${login} bypassrls`])).toEqual([])
    expect(await it.look('select from pg_auth_members where member = $1::regrole', [`kiff_${login}`])).toEqual([])
  })

  test('the server itself is out of reach', async () => {
    expect(await allowedOf(login, [
      "select pg_read_file('PG_VERSION')", "copy (select 1) to program 'true'", "copy (select 1) to '/tmp/kiff-test'", 'set session_replication_role = replica',
      'select from pg_authid', 'checkpoint',
    ])).toEqual([])
  })
})

describe('append-only, even for the owner', () => {
  const evidence = ['ledger', 'reviews', 'reconciliations', 'consumptions', 'event_ids']

  test.each(evidence)('%s: no row can be updated or deleted, nor all of them', async (table) => {
    expect(await it.look(`select from kiff.${table}`)).not.toEqual([])
    const [column] = await it.look<{ attname: string }>(`select attname from pg_attribute where attrelid = $1::regclass and attnum > 0 and attgenerated = '' order by attnum desc limit 1`, [`kiff.${table}`])
    expect(await allowedOf('owner', [`update kiff.${table} set ${column?.attname} = ${column?.attname}`, `delete from kiff.${table}`, `truncate kiff.${table} cascade`])).toEqual([])
  })

  test('nor by way of what they hang on', async () => {
    expect(await allowedOf('owner', ['truncate kiff.chains cascade', 'truncate kiff.approvals cascade', `merge into kiff.ledger l using (select 1) s on true when matched then delete`])).toEqual([])
  })

  test('the triggers fire always, and are these', async () => {
    const triggers = await it.look<{ on: string; tgname: string }>(`select tgrelid::regclass::text as on, tgname from pg_trigger where not tgisinternal and tgenabled = 'O' and tgfoid = 'kiff.refuse_rewrite'::regproc order by 1, 2`)
    expect(triggers).toEqual([...evidence].sort().flatMap((table) => ['append_only', 'no_truncate'].map((tgname) => ({ on: `kiff.${table}`, tgname }))))
  })
})

test('the public has nothing: no function, relation, schema, or database', async () => {
  const rights = await it.look(`
    select proname as what from pg_proc where pronamespace = 'kiff'::regnamespace and has_function_privilege('public', oid, 'execute')
    union all select relname from pg_class where relnamespace in ('kiff'::regnamespace, 'public'::regnamespace) and relkind in ('r', 'v', 'm', 'p', 'f')
      and (has_table_privilege('public', oid, 'select, insert, update, delete, truncate, references, trigger') or has_any_column_privilege('public', oid, 'select, insert, update, references'))
    union all select nspname from pg_namespace where nspname in ('kiff', 'public') and has_schema_privilege('public', oid, 'usage, create')
    union all select datname from pg_database where datname = current_database() and has_database_privilege('public', oid, 'connect, create, temporary')`)
  expect(rights).toEqual([])
})

test('nobody may pass a right on', async () => {
  const grantable = await it.look(`
    select grantee::regrole::text, object from (
      select proname as object, proacl as acl from pg_proc where pronamespace = 'kiff'::regnamespace
      union all select relname, relacl from pg_class where relnamespace = 'kiff'::regnamespace
      union all select nspname, nspacl from pg_namespace where nspname = 'kiff'
      union all select datname, datacl from pg_database where datname = current_database()
    ) as objects cross join lateral aclexplode(acl) where is_grantable`)
  expect(grantable).toEqual([])
})

test('the four logins are ordinary roles', async () => {
  const roles = await it.look(`select rolname from pg_roles where rolname = any ($1) and (rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls or not rolcanlogin)`, [logins.map((login) => `kiff_${login}`)])
  expect(roles).toEqual([])
})
