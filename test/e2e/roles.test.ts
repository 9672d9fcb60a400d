import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'
import { aDatabase, type TestDatabase } from '../a-database.ts'
import { ledgers } from '../fixtures/ledgers.ts'
import { aCommand } from './a-command.ts'

let one: TestDatabase
let two: TestDatabase

beforeAll(async () => {
  ;[one, two] = await Promise.all([
    aDatabase(inject('postgresAdminUrl'), [refunds], { maria: 'finance' }),
    aDatabase(inject('postgresAdminUrl'), [refunds, ledgers], {}),
  ])
})
afterAll(() => Promise.all([one.close(), two.close()]))

let env: Record<string, string>
beforeEach(() => { env = { KIFF_STATE: '/nowhere', KIFF_OWNER_DATABASE_URL: one.urls.owner } })

async function run(...args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  const command = aCommand(['roles', ...args], env)
  const code = await command.exited
  return { code, out: command.lines.join('\n'), err: command.stderr().trim() }
}

const permissionsOf = async (db: TestDatabase, actor: string): Promise<string[]> =>
  (await db.pool('auditor').query<{ role: string }>('select role from kiff.memberships where actor = $1 order by role', [actor])).rows.map(({ role }) => role)

describe('roles grant and revoke', () => {
  test('change who holds a role, and say so', async () => {
    expect(await run('grant', 'rita', 'finance', '--by', 'olga')).toEqual({ code: 0, out: 'rita holds finance in refunds now; recorded as done by olga', err: '' })
    expect(await permissionsOf(one, 'rita')).toEqual(['finance'])
    expect(await run('grant', 'rita', 'finance')).toEqual({ code: 0, out: 'nothing changed: rita holds finance in refunds already', err: '' })
    const revoked = await run('revoke', 'rita', 'finance', '--json')
    expect(JSON.parse(revoked.out)).toEqual({ domain: 'refunds', actor: 'rita', role: 'finance', by: userInfo().username, changed: true })
    expect(await permissionsOf(one, 'rita')).toEqual([])
    const again = await run('revoke', 'rita', 'finance', '--json')
    expect(again.code).toBe(0)
    expect(JSON.parse(again.out)).toMatchObject({ changed: false })
  })

  test('say who the actor is, where told; what is no person is known as such', async () => {
    env['KIFF_OWNER_DATABASE_URL'] = two.urls.owner
    expect(await run('grant', 'bot-7', 'support-agent', '--domain', 'refunds', '--type', 'agent', '--name', 'Refund bot')).toMatchObject({ code: 0, err: '' })
    expect((await run('list', '--domain', 'refunds')).out).toMatch(/^refunds {2}support-agent +orders\.refund +bot-7 \(Refund bot, agent\)$/m)
    expect(await run('grant', 'bot-7', 'support-agent', '--domain', 'refunds', '--type', 'robot')).toMatchObject({ code: 2, out: '' })
    expect(await run('grant', 'bot-7', 'support-agent', '--domain', 'refunds', '--name', 'x')).toMatchObject({ code: 2, out: '' })
    expect(await run('revoke', 'bot-7', 'support-agent', '--domain', 'refunds', '--type', 'agent')).toMatchObject({ code: 2, out: '' })
  })

  test('are told in the history, with who did it', async () => {
    await run('grant', 'otto', 'finance', '--by', 'olga')
    await run('revoke', 'otto', 'finance', '--by', 'maria')
    const { out } = await run('list', '--history')
    expect(out).toMatch(/^\S+Z {2}refunds {2}granted {2}finance to maria, by test\n/)
    expect(out).toMatch(/\n\S+Z {2}refunds {2}granted {2}finance to otto, by olga\n\S+Z {2}refunds {2}revoked {2}finance from otto, by maria$/)
    const told = await run('list', '--history', '--json')
    expect(JSON.parse(told.out)).toMatchObject({ changes: expect.arrayContaining([{ domain: 'refunds', seq: 1, at: expect.any(String), change: 'granted', actor: 'maria', role: 'finance', by: 'test', hash: expect.stringMatching(/^[\da-f]{64}$/) }]) })
  })

  test.each<readonly [string, readonly string[], number, RegExp]>([
    ['a role that the domain does not have', ['grant', 'rita', 'boss'], 2, /^refunds has no role boss; there is finance, shop, support-agent$/],
    ['one to be revoked', ['revoke', 'rita', 'boss'], 2, /^refunds has no role boss; there is finance, shop, support-agent$/],
    ['a domain that is not registered', ['grant', 'rita', 'finance', '--domain', 'payouts'], 2, /^there is no domain payouts; there is refunds$/],
    ['an actor whose name cannot be read', ['grant', 'ri\u202eta', 'finance'], 2, /^the actor is a name of at most 200 visible characters$/],
    ['nobody who does it', ['grant', 'rita', 'finance', '--by', ' '], 2, /^--by is a name of at most 200 visible characters$/],
    ['a role that is not given', ['grant', 'rita'], 2, /missing required argument 'role'/],
  ])('%s: one sentence, exit 2, nothing changed', async (_, args, code, sentence) => {
    const { code: ended, out, err } = await run(...args)
    expect({ ended, out }).toEqual({ ended: code, out: '' })
    expect(err).toMatch(sentence)
    expect(await permissionsOf(one, 'rita')).toEqual([])
  })

  test('need the domain where there are several', async () => {
    env['KIFF_OWNER_DATABASE_URL'] = two.urls.owner
    expect(await run('grant', 'rita', 'finance')).toEqual({ code: 2, out: '', err: 'say which domain with --domain: ledgers, refunds' })
    expect(await run('grant', 'rita', 'finance', '--domain', 'refunds')).toMatchObject({ code: 0 })
    expect(await permissionsOf(two, 'rita')).toEqual(['finance'])
  })

  test('a role that the domain has no longer can be revoked, and not granted', async () => {
    await one.pool('owner').query("insert into kiff.memberships (domain, actor, role) values ('refunds', 'sam', 'retired')")
    expect((await run('list')).out).toMatch(/^refunds {2}retired +no longer in the domain +sam$/m)
    expect(await run('grant', 'rita', 'retired')).toMatchObject({ code: 2 })
    expect(await run('revoke', 'sam', 'retired', '--by', 'olga')).toMatchObject({ code: 0, out: 'sam does not hold retired in refunds now; recorded as done by olga' })
  })
})

describe('roles list', () => {
  test('tells each role, what it permits, and who holds it; the auditor may ask', async () => {
    env = { KIFF_STATE: '/nowhere', KIFF_AUDITOR_DATABASE_URL: one.urls.auditor }
    const { code, out } = await run('list')
    expect(code).toBe(0)
    expect(out).toMatch(/^domain {3}role +permits +held by\nrefunds {2}finance +orders\.review +maria\nrefunds {2}shop +orders\.report +nobody\nrefunds {2}support-agent +orders\.refund +nobody$/)
    const told = await run('list', '--json')
    expect(JSON.parse(told.out)).toMatchObject({ roles: [{ domain: 'refunds', role: 'finance', permissions: ['orders.review'], actors: [{ actor: 'maria', type: null, displayName: null }] }, { role: 'shop' }, { role: 'support-agent', actors: [] }] })
  })

  test('of one domain, where asked', async () => {
    const { out } = await run('list', '--domain', 'ledgers', '--database', two.urls.auditor, '--json')
    expect((JSON.parse(out) as { roles: { domain: string }[] }).roles.map(({ domain }) => domain)).toEqual(['ledgers', 'ledgers', 'ledgers'])
  })
})

describe('the database that is changed', () => {
  test('is that of the running "npm start", where nothing else is said', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kiff-roles-'))
    try {
      await writeFile(join(folder, 'ready.json'), JSON.stringify({ temporal: { address: 'x', namespace: 'default', ui: null }, database: one.urls }))
      env = { KIFF_STATE: folder }
      expect(await run('grant', 'maria', 'finance')).toMatchObject({ code: 0, out: 'nothing changed: maria holds finance in refunds already' })
      expect((await run('list')).out).toContain('maria')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  test.each<readonly [string, () => readonly string[], number, RegExp]>([
    ['is named by nobody', () => [], 2, /^no database: run "npm start" here, set KIFF_OWNER_DATABASE_URL, or give --database$/],
    ['is no URL', () => ['--database', 'x'], 2, /^a database URL reads postgres:.+$/],
    ['is not there', () => ['--database', 'postgres://x:x@127.0.0.1:1/x'], 1, /^the owner's database cannot be reached: .*ECONNREFUSED.*$/],
    ['is not ours', () => ['--database', inject('postgresAdminUrl')], 1, /^the database has no registry .+$/],
    ["is the auditor's to read only", () => ['--database', one.urls.auditor], 1, /^this login may not change who holds a role; use the kiff_owner login$/],
    ["is the gate's", () => ['--database', one.urls.gate], 1, /^this login may not change who holds a role; use the kiff_owner login$/],
  ])('%s', async (_, flags, code, sentence) => {
    env = { KIFF_STATE: '/nowhere' }
    const { code: ended, err } = await run('grant', 'rita', 'finance', ...flags())
    expect(ended).toBe(code)
    expect(err).toMatch(sentence)
    expect(err).not.toContain('\n')
  })
})
