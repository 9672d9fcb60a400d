/** A gate worker that is configured wrongly: told in one sentence, at start, or where a review does not count for it. */
import { randomUUID } from 'node:crypto'
import { asyncLocalStorage, type Context } from '@temporalio/activity'
import { NativeConnection, Worker } from '@temporalio/worker'
import { CompactSign, importJWK } from 'jose'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'
import { generateDevReviewKey } from '../../src/approvals/signing.ts'
import { executors, KiffPlugin } from '../../src/gate/index.ts'
import { warnOfUnknownKeys } from '../../src/gate/unknown-keys.ts'
import { createReviewVerifier } from '../../src/temporal/verify-review.ts'
import { aDatabase, type TestDatabase } from '../a-database.ts'

let native: NativeConnection
let db: TestDatabase
beforeAll(async () => {
  ;[native, db] = await Promise.all([NativeConnection.connect({ address: inject('temporalAddress') }), aDatabase(inject('postgresAdminUrl'), [refunds], {})])
})
afterAll(() => db.close()) // not the native one: workers that stopped at start still refer to it

const bound = executors(refunds, { REFUND_ORDER: () => Promise.reject(new Error('never')) })
const at = (change: (url: URL) => void): string => {
  const url = new URL(db.urls.gate)
  change(url)
  return url.toString()
}

describe('a gate worker with', () => {
  test.each<readonly [string, () => string, RegExp]>([
    ['a database that does not answer', () => at((url) => { url.port = '1' }), /^the database of kiff_gate: nothing answers at 127\.0\.0\.1:1 \(ECONNREFUSED\); start that Postgres or correct the address$/],
    ['a wrong password', () => at((url) => { url.password = 's3cret' }), /^the database of kiff_gate: .* refuses the password of "kiff_gate"; correct it; if it was never made, run "kiff-temporal migrate" once, with DATABASE_URL as an administrator$/],
    ['a database that is not there', () => at((url) => { url.pathname = '/nowhere' }), /^the database of kiff_gate: .* has no database "nowhere"; .*/],
    ['a database that is not ours', () => at((url) => { url.pathname = '/postgres' }), /^the database "postgres" at .* holds nothing of kiff-temporal; correct its name, or run "kiff-temporal migrate" first$/],
    ["the auditor's login", () => db.urls.auditor, /^this must connect as kiff_gate, which can do nothing else; it connected as kiff_auditor$/],
    ["the owner's login", () => db.urls.owner, /^this must connect as kiff_gate, which can do nothing else; it connected as kiff_owner$/],
  ])('%s stops at start and says so', async (_, databaseUrl, sentence) => {
    const { publicKeys } = await generateDevReviewKey()
    const worker = await Worker.create({ connection: native, taskQueue: randomUUID(), plugins: [new KiffPlugin({ gate: { bound, databaseUrl: databaseUrl(), reviewKeys: publicKeys, actors: [] } })] })
    await expect(worker.run()).rejects.toThrow(sentence)
  })
})

const sign = async (kid: string, key: Awaited<ReturnType<typeof generateDevReviewKey>>['privateKey']): Promise<string> =>
  new CompactSign(new TextEncoder().encode('{}')).setProtectedHeader({ alg: 'EdDSA', kid }).sign(await importJWK(key, 'EdDSA'))

describe('a review that is signed with a key', () => {
  test('that is not known is told of, with the keys that are; a bad signature with a known one is not', async () => {
    const [mine, theirs] = await Promise.all([generateDevReviewKey(), generateDevReviewKey()])
    const told: unknown[] = []
    const verify = createReviewVerifier(mine.publicKeys, (...about) => { told.push(about) })
    const [known = ''] = mine.publicKeys.keys.map(({ kid }) => kid ?? '')
    expect(await verify(await sign('another', theirs.privateKey))).toBeNull()
    expect(told).toEqual([['another', [known]]])
    expect(await verify(await sign(known, theirs.privateKey))).toBeNull()
    expect(await verify('no signature')).toBeNull()
    expect(told).toHaveLength(1)
  })
})

test("a gate worker's log says so once a key, and not more often than anybody should be able to make it", () => {
  const warned: unknown[] = []
  const context = { log: { warn: (message: string, about: unknown) => { warned.push([message, about]) } } } as unknown as Context
  asyncLocalStorage.run(context, () => {
    const warn = warnOfUnknownKeys()
    warn('theirs', ['mine'])
    warn('theirs', ['mine'])
    expect(warned).toEqual([['a review counts for nothing: it is signed with a key that is not among the reviewKeys of this gate worker', { unknownKeyId: 'theirs', knownKeyIds: ['mine'] }]])
    for (let key = 0; key < 1_000; key++) warn(`key-${key}`, ['mine'])
    expect(warned.length).toBeLessThan(100)
  })
})
