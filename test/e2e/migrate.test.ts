import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startPostgres, type RunningPostgres } from '../../src/dev/postgres-server.ts'
import { openPool } from '../../src/postgres/connect.ts'
import { aCommand } from './a-command.ts'

/** Logins belong to the whole server: one of its own. */
let postgres: RunningPostgres
let folder: string
const passwords = { KIFF_PASSWORD_OWNER: 'o-s3cret', KIFF_PASSWORD_GATE: 'g-s3cret', KIFF_PASSWORD_REVIEWER: 'r-s3cret', KIFF_PASSWORD_AUDITOR: 'a-s3cret' }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kiff-migrate-'))
  postgres = await startPostgres({ dataDir: join(folder, 'postgres'), fsync: false, temporary: true, onProgress: () => {} })
  const fixtures = join(import.meta.dirname, '../fixtures')
  await Promise.all([
    writeFile(join(folder, 'one.ts'), `export { ledgers } from '${fixtures}/ledgers.ts'\nexport const other = 1\n`),
    writeFile(join(folder, 'two.ts'), `import { ledgers } from '${fixtures}/ledgers.ts'\nimport { refunds } from '${fixtures}/../../domains/refunds/domain.ts'\nexport const domains = [ledgers, refunds]\n`),
    writeFile(join(folder, 'none.ts'), 'export const other = 1\n'),
    writeFile(join(folder, 'broken.ts'), "throw new Error('it is broken')\n"),
  ])
})
afterAll(async () => {
  await postgres.stop()
  await rm(folder, { recursive: true, force: true })
})

async function run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<{ code: number | null; out: string; err: string }> {
  const command = aCommand(['migrate', ...args], { KIFF_STATE: '/nowhere', ...env })
  const code = await command.exited
  return { code, out: command.lines.join('\n'), err: command.stderr().trim() }
}

const owner = (change: (url: URL) => void = () => {}): string => {
  const url = new URL(postgres.adminUrl)
  url.username = 'kiff_owner'
  url.password = 'o-s3cret'
  url.pathname = '/kiff'
  change(url)
  return url.toString()
}

describe('migrate', () => {
  test("the owner's login, before there is one: says what makes it", async () => {
    const { code, err } = await run(['--domains', join(folder, 'one.ts')], { KIFF_OWNER_DATABASE_URL: owner() })
    expect(code).toBe(2)
    expect(err).toMatch(/^KIFF_OWNER_DATABASE_URL: .* refuses the password of "kiff_owner"; correct it; if the logins do not exist yet, run migrate once with DATABASE_URL as an administrator, and without KIFF_OWNER_DATABASE_URL$/)
  })

  test('as an administrator it makes database and logins; then as the owner it goes on; each says what it did', async () => {
    expect(await run(['--domains', join(folder, 'one.ts')], { DATABASE_URL: postgres.adminUrl, ...passwords })).toEqual({
      code: 0, err: '', out: expect.stringMatching(/^[1-9]\d* migrations applied, ledgers registered, 0 roles granted \("kiff-temporal roles list" tells who holds which\)$/),
    })
    const again = await run(['--domains', join(folder, 'two.ts'), '--json'], { KIFF_OWNER_DATABASE_URL: owner() })
    expect(JSON.parse(again.out)).toEqual({ applied: [], domains: ['ledgers', 'refunds'], granted: 0 })
    const sample = await run(['--members'], { KIFF_OWNER_DATABASE_URL: owner() })
    const [, granted] = /^0 migrations applied, .*, ([1-9]\d*) roles granted$/.exec(sample.out) ?? []
    const pool = openPool(owner(), { max: 1 })
    expect((await pool.query('select from kiff.memberships')).rowCount).toBe(Number(granted))
    await pool.end()
    expect((await run(['--members'], { KIFF_OWNER_DATABASE_URL: owner() })).out).toContain(', 0 roles granted')
  })

  test.each<readonly [string, readonly string[], () => Record<string, string>, RegExp]>([
    ['nothing set', [], () => ({}), /^set KIFF_OWNER_DATABASE_URL to Postgres, as the kiff_owner login; or, the first time, DATABASE_URL .* with KIFF_PASSWORD_OWNER, _GATE, _REVIEWER and _AUDITOR$/],
    ['two passwords missing', [], () => ({ DATABASE_URL: postgres.adminUrl, ...passwords, KIFF_PASSWORD_GATE: '', KIFF_PASSWORD_AUDITOR: '' }), /^set KIFF_PASSWORD_GATE, KIFF_PASSWORD_AUDITOR in the environment \("kiff-temporal keys" makes them\)$/],
    ['a DATABASE_URL that is none', [], () => ({ DATABASE_URL: 's3cret', ...passwords }), /^DATABASE_URL cannot be read; it must look like postgres:/],
    ['a DATABASE_URL where nothing answers', [], () => ({ DATABASE_URL: 'postgres://a:s3cret@127.0.0.1:1/b', ...passwords }), /^DATABASE_URL: nothing answers at 127\.0\.0\.1:1 \(ECONNREFUSED\); start that Postgres or correct the address$/],
    ["an owner's URL that is none", [], () => ({ KIFF_OWNER_DATABASE_URL: 's3cret' }), /^KIFF_OWNER_DATABASE_URL cannot be read; it must look like postgres:/],
    ['another login than the owner', [], () => ({ KIFF_OWNER_DATABASE_URL: postgres.adminUrl }), /^KIFF_OWNER_DATABASE_URL must be the kiff_owner login, who then owns what is made; it is "postgres"$/],
    ['a module that is not there', ['--domains', './nowhere.ts'], () => ({}), /^\.\/nowhere\.ts does not exist; name the module that exports your domains$/],
    ['both a module and an application', ['--domains', 'a.ts', '--app', 'b.ts'], () => ({}), /^give --domains or --app, not both$/],
    ['sample roles of a module', ['--domains', 'a.ts', '--members'], () => ({}), /^--members grants the sample roles of an application; with --domains, use "kiff-temporal roles grant"$/],
  ])('%s: one sentence, exit 2', async (_, args, env, sentence) => {
    const { code, out, err } = await run(args, env())
    expect(err).toMatch(sentence)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).not.toMatch(/\n|s3cret/)
  })

  test('a module without a domain, or one that fails, is told', async () => {
    expect((await run(['--domains', join(folder, 'none.ts')], {})).err).toMatch(/none\.ts exports no domain; export what defineDomain returns$/)
    expect((await run(['--domains', join(folder, 'broken.ts')], {})).err).toMatch(/broken\.ts cannot be loaded: it is broken$/)
  })
})
