import { createServer, type Server } from 'node:net'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { generateDevReviewKey } from '../../src/approvals/signing.ts'
import { freePort } from '../../src/dev/ports.ts'
import { aDatabase, type TestDatabase } from '../a-database.ts'
import { aCommand } from './a-command.ts'

let db: TestDatabase
let taken: Server
let env: Record<string, string>

beforeAll(async () => {
  db = await aDatabase(inject('postgresAdminUrl'), [], {})
  taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { privateKey } = await generateDevReviewKey()
  env = { KIFF_REVIEWER_DATABASE_URL: db.urls.reviewer, KIFF_REVIEW_PRIVATE_KEY: JSON.stringify(privateKey), KIFF_INBOX_PERSON: 'maria', KIFF_INBOX_PORT: '0', TEMPORAL_ADDRESS: inject('temporalAddress') }
})
afterAll(async () => {
  taken.close()
  await db.close()
})

const takenPort = (): string => {
  const address = taken.address()
  return typeof address === 'object' && address !== null ? String(address.port) : ''
}
const at = (url: string, change: (url: URL) => void): string => {
  const other = new URL(url)
  change(other)
  return other.toString()
}

describe('serve', () => {
  test('tells where the inbox is, and ends when told', async () => {
    const serve = aCommand(['serve'], { ...env, KIFF_INBOX_PORT: String(await freePort()) })
    expect(await serve.nextLine()).toMatch(/^inbox on http:\/\/127\.0\.0\.1:\d+$/)
    expect(await serve.nextLine()).toMatch(/^log in once at /)
    serve.kill('SIGTERM')
    expect(await serve.exited).toBe(0)
  })

  test.each<readonly [string, () => Record<string, string>, number, RegExp]>([
    ['a port that is taken', () => ({ KIFF_INBOX_PORT: takenPort() }), 1, /^port \d+ of 127\.0\.0\.1 is taken by another program \(EADDRINUSE\); stop that, or choose another port$/],
    ['a port that is none', () => ({ KIFF_INBOX_PORT: 'abc' }), 2, /^KIFF_INBOX_PORT is "abc", which is no port; it is a number, such as 4080$/],
    ['a port that is too high', () => ({ KIFF_INBOX_PORT: '70000' }), 2, /^KIFF_INBOX_PORT is "70000", which is no port/],
    ['a Temporal UI that is no address', () => ({ KIFF_TEMPORAL_UI: 'x' }), 1, /must start with http/],
    ['an address that is no loopback', () => ({ KIFF_INBOX_HOST: '0.0.0.0' }), 1, /^the development login works on 127\.0\.0\.1, ::1 or localhost only/],
    ['nothing set', () => ({ KIFF_REVIEWER_DATABASE_URL: '', KIFF_REVIEW_PRIVATE_KEY: '', KIFF_INBOX_PERSON: '' }), 2, /^set KIFF_REVIEWER_DATABASE_URL, KIFF_REVIEW_PRIVATE_KEY, KIFF_INBOX_PERSON in the environment$/],
    ['a key that is none', () => ({ KIFF_REVIEW_PRIVATE_KEY: '{"kty":"OKP"}' }), 1, /^the review key must be a private Ed25519 JWK with a kid$/],
    ["the owner's login", () => ({ KIFF_REVIEWER_DATABASE_URL: db.urls.owner }), 1, /^this must connect as kiff_reviewer, which can do nothing else; it connected as kiff_owner$/],
    ['a database that is not ours', () => ({ KIFF_REVIEWER_DATABASE_URL: at(db.urls.reviewer, (url) => { url.pathname = '/postgres' }) }), 1, /^the database "postgres" at 127\.0\.0\.1:\d+ holds nothing of kiff-temporal; .* "kiff-temporal migrate" first$/],
    ['a wrong password', () => ({ KIFF_REVIEWER_DATABASE_URL: at(db.urls.reviewer, (url) => { url.password = 's3cret' }) }), 2, /^KIFF_REVIEWER_DATABASE_URL: 127\.0\.0\.1:\d+ refuses the password of "kiff_reviewer"; correct it; if the login was never made, run "kiff-temporal migrate" once, with DATABASE_URL as an administrator$/],
    ['a database that does not answer', () => ({ KIFF_REVIEWER_DATABASE_URL: 'postgres://kiff_reviewer:s3cret@127.0.0.1:1/kiff' }), 2, /^KIFF_REVIEWER_DATABASE_URL: nothing answers at 127\.0\.0\.1:1 \(ECONNREFUSED\)/],
    ['a URL that is none', () => ({ KIFF_REVIEWER_DATABASE_URL: 's3cret' }), 2, /^KIFF_REVIEWER_DATABASE_URL cannot be read; it must look like postgres:/],
  ])('%s: one sentence, and it ends', async (_, change, code, sentence) => {
    const serve = aCommand(['serve'], { ...env, ...change() })
    expect(await serve.exited).toBe(code)
    expect(serve.stderr().trim()).toMatch(sentence)
    expect(serve.stderr().trim()).not.toMatch(/\n|s3cret/)
    expect(serve.lines).toEqual([])
  })
})
