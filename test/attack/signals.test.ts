/** An attacker who holds full credentials of the Temporal namespace: what they can send, and that it opens nothing. */
import { randomUUID } from 'node:crypto'
import { defaultPayloadConverter, type WorkflowHandle } from '@temporalio/client'
import { CompactSign, importJWK, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createReviewSigner, generateDevReviewKey } from '../../src/approvals/signing.ts'
import { canonical } from '../../src/core/canonical.ts'
import { sha256 } from '../../src/core/digest.ts'
import type { SignedReview } from '../../src/core/approval.ts'
import { createReviewVerifier } from '../../src/temporal/verify-review.ts'
import { eventually, type Stack } from '../a-stack.ts'
import { aPaidOrder, approval, jwsOf, letTimePass } from '../an-entity.ts'
import { aRefundsStack, type HeldRefund, type Refunds } from '../held-refunds.ts'

let stack: Stack
let effects: Refunds['effects']
let aRefund: Refunds['aRefund']
let aHeldRefund: Refunds['aHeldRefund']

beforeAll(async () => {
  ;({ stack, effects, aRefund, aHeldRefund } = await aRefundsStack({ relay: false })) // each test delivers, or not
})
afterAll(() => stack.close())

/** A person grants, and the genuine review is delivered until it gets through. */
async function grantAndDeliver({ approvalId, handle }: HeldRefund): Promise<unknown> {
  await stack.review(approvalId, 'granted', 'maria')
  const jws = await jwsOf(stack, approvalId)
  const result = handle.result()
  let over = false
  const ended = (): void => { over = true }
  result.then(ended, ended)
  await eventually(async () => {
    if (!over) await handle.signal('kiff.review', { approval_id: approvalId, jws }).catch(() => {})
    return over || (await approval(stack, approvalId)).closed
  }, 50_000)
  return result
}

const rejections = async (entityId: string): Promise<readonly unknown[]> =>
  (await stack.audit(entityId)).filter(({ kind }) => kind === 'approval_review_rejected').map(({ data }) => data['reason'])

/** A signal as the server takes it, with payloads that no SDK would send. */
async function signalRaw(handle: WorkflowHandle, payloads: readonly { metadata?: Record<string, Uint8Array>; data?: Uint8Array }[]): Promise<void> {
  await stack.client.workflowService.signalWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: handle.workflowId },
    signalName: 'kiff.review',
    requestId: randomUUID(),
    identity: 'mallory',
    input: { payloads: [...payloads] },
  })
}
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const base64url = (text: string): string => Buffer.from(text).toString('base64url')

const aReview = ({ approvalId, digest }: Pick<HeldRefund, 'approvalId' | 'digest'>, more: Partial<SignedReview> = {}): SignedReview => ({
  purpose: 'approval', approval_id: approvalId, digest, verdict: 'granted', reviewer: 'maria', reason: 'fine', reviewed_at: '2026-01-01T00:00:00.000Z', ...more,
})

const untrusted = 'not signed by a key this gate trusts'
const unrecorded = 'no such review was recorded by the human-facing service'
const genuineKid = (): string => stack.publicKeys.keys[0]?.kid ?? ''

/** What an attacker signs or makes up, as `jws`; and why the gate says that it counts for nothing. */
const forgeries: Record<string, { jws: (held: HeldRefund) => unknown; why: string }> = {
  'signed with a key of their own': { why: untrusted, jws: async (held) => (await createReviewSigner((await generateDevReviewKey()).privateKey))(aReview(held)) },
  'signed with a key of their own under the genuine key id': {
    why: untrusted,
    jws: async (held) => (await createReviewSigner({ ...(await generateDevReviewKey()).privateKey, kid: genuineKid() }))(aReview(held)),
  },
  'with alg none': { why: untrusted, jws: (held) => `${base64url(JSON.stringify({ alg: 'none', typ: 'kiff-review+jws', kid: genuineKid() }))}.${base64url(canonical(aReview(held)))}.` },
  'signed by HMAC with the public key as the secret': {
    why: untrusted,
    jws: (held) => new SignJWT({ ...aReview(held) }).setProtectedHeader({ alg: 'HS256', typ: 'kiff-review+jws', kid: genuineKid() }).sign(bytes(stack.publicKeys.keys[0]?.x ?? '')),
  },
  'unsigned: the bare review': { why: untrusted, jws: (held) => canonical(aReview(held)) },
  'with an altered payload under a genuine signature': {
    why: untrusted,
    async jws(held) {
      const [header, , signature] = (await stack.sign(aReview(held, { verdict: 'denied' }))).split('.')
      return `${header}.${base64url(canonical(aReview(held)))}.${signature}`
    },
  },
  'genuinely signed for another amount': {
    why: 'signed for another action',
    jws: ({ approvalId, request }) => stack.sign(aReview({ approvalId, digest: sha256(canonical({ ...request, params: { amountCents: 10_001, reason: 'late' } })) })),
  },
  'genuinely signed for another workflow id': {
    why: 'signed for another action',
    jws: ({ approvalId, request }) => stack.sign(aReview({ approvalId, digest: sha256(canonical({ ...request, workflow_id: 'another' })) })),
  },
  'genuinely signed for another approval': { why: 'signed for another approval', jws: ({ digest }) => stack.sign(aReview({ approvalId: randomUUID(), digest })) },
  'genuinely signed, without its row in the database': { why: unrecorded, jws: (held) => stack.sign(aReview(held)) },
  'that is a genuinely signed denial, without its row': { why: unrecorded, jws: (held) => stack.sign(aReview(held, { verdict: 'denied' })) },
  'of nine KiB': { why: untrusted, jws: () => 'x'.repeat(9 * 1024) },
  'that is no string': { why: untrusted, jws: () => ({ verdict: 'granted' }) },
  'that is empty': { why: untrusted, jws: () => '' },
}

describe.concurrent('a signal that is not genuine opens nothing, is recorded, and keeps no genuine one out', () => {
  test.each(Object.keys(forgeries))('a review %s', async (name) => {
    const held = await aHeldRefund()
    const { jws, why } = forgeries[name] ?? { jws: () => '', why: '' }
    await held.handle.signal('kiff.review', { approval_id: held.approvalId, jws: await jws(held) })
    await eventually(async () => (await rejections(held.entityId)).includes(why))
    expect(effects(held.entityId)).toBe(0)
    expect(await grantAndDeliver(held)).toMatchObject({ outcome: 'allowed' })
    expect(effects(held.entityId)).toBe(1)
  })

  test.each<[string, readonly unknown[]]>([
    ['no argument', []],
    ['null', [null]],
    ['a number', [42]],
    ['a string', ['granted']],
    ['a list', [['granted']]],
    ['a deep object', [{ approval: { granted: { by: { whom: 'maria' } } } }]],
    ['an id that is no string', [{ approval_id: 7, jws: 'x' }]],
    ['bytes', [new Uint8Array([0, 1, 2, 255])]],
    ['text of nine KiB', ['x'.repeat(9 * 1024)]],
    ['many arguments', ['a', 'b', 'c', 'd']],
  ])('a signal with %s', async (_, args) => {
    const held = await aHeldRefund()
    await held.handle.signal('kiff.review', ...args)
    await eventually(async () => (await rejections(held.entityId)).length > 0)
    expect(await rejections(held.entityId)).toEqual([untrusted])
    expect(await grantAndDeliver(held)).toMatchObject({ outcome: 'allowed' })
  })

  test.each<[string, { metadata?: Record<string, Uint8Array>; data?: Uint8Array }]>([
    ['an unknown encoding', { metadata: { encoding: bytes('json/mallory') }, data: bytes('{}') }],
    ['broken JSON', { metadata: { encoding: bytes('json/plain') }, data: bytes('{"approval_id":') }],
    ['no encoding', { data: bytes('{}') }],
    ['nothing at all', {}],
    ['a protobuf message nobody knows', { metadata: { encoding: bytes('binary/protobuf'), messageType: bytes('mallory.Message') }, data: bytes('x') }],
  ])('a payload with %s, which would wedge a workflow', async (_, payload) => {
    const held = await aHeldRefund()
    await signalRaw(held.handle, [payload])
    await held.handle.signal('kiff.review', 'readable')
    await eventually(async () => (await rejections(held.entityId)).length > 0)
    await eventually(async () => (await held.handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata')).currentDetails?.includes('1 signals were dropped unread'))
    expect(await grantAndDeliver(held)).toMatchObject({ outcome: 'allowed' })
  })
})

describe.concurrent('a genuine review, out of its place', () => {
  test('opens nothing in another workflow', async () => {
    const [one, other] = await Promise.all([aHeldRefund(), aHeldRefund()])
    expect(await grantAndDeliver(one)).toMatchObject({ outcome: 'allowed' })
    await other.handle.signal('kiff.review', { approval_id: other.approvalId, jws: await jwsOf(stack, one.approvalId) })
    await eventually(async () => (await rejections(other.entityId)).includes('signed for another approval'))
    expect(effects(other.entityId)).toBe(0)
    await other.handle.terminate()
  })

  test('opens nothing when its time is over', async () => {
    const held = await aHeldRefund()
    await stack.review(held.approvalId, 'granted', 'maria')
    await letTimePass(stack, held.approvalId)
    await held.handle.signal('kiff.review', { approval_id: held.approvalId, jws: await jwsOf(stack, held.approvalId) })
    expect(await held.handle.result()).toMatchObject({ outcome: 'blocked', reason: 'approval_expired' })
    expect(effects(held.entityId)).toBe(0)
  })

  test('opens nothing a second time, in a workflow that proposes the same again', async () => {
    const entityId = await aPaidOrder(stack)
    const handle = await stack.start('proposeInTurn', [[aRefund(entityId), aRefund(entityId)]])
    const approvalId = await stack.asked(entityId)
    await stack.review(approvalId, 'granted', 'maria')
    const jws = await jwsOf(stack, approvalId)
    await Promise.all(Array.from({ length: 5 }, () => handle.signal('kiff.review', { approval_id: approvalId, jws })))
    expect(await handle.result()).toEqual([expect.objectContaining({ outcome: 'allowed' }), expect.objectContaining({ reason: 'state_not_allowed' })])
    expect(effects(entityId)).toBe(1)
  })

  test('is not used while only its row is there: the signal is missing', async () => {
    const held = await aHeldRefund()
    await stack.review(held.approvalId, 'granted', 'maria')
    await held.handle.signal('kiff.review', { approval_id: held.approvalId, jws: 'x' })
    await eventually(async () => (await rejections(held.entityId)).length > 0)
    expect(effects(held.entityId)).toBe(0)
    expect(await approval(stack, held.approvalId)).toMatchObject({ status: 'granted', closed: false })
    await held.handle.signal('kiff.review', { approval_id: held.approvalId, jws: await jwsOf(stack, held.approvalId) })
    expect(await held.handle.result()).toMatchObject({ outcome: 'allowed' })
  })

  test('is used, and what came with it is recorded', async () => {
    const queue = `gate-${randomUUID()}`
    const gate = await stack.startGate({ queue })
    const held = await aHeldRefund({ queue })
    await gate.stop()
    await stack.review(held.approvalId, 'granted', 'maria')
    // The first signal starts a gate call that waits for a gate; what follows comes with the next.
    await held.handle.signal('kiff.review', { approval_id: held.approvalId, jws: 'first' })
    await eventually(async () => ((await held.handle.describe()).raw.pendingActivities ?? []).length > 0)
    await held.handle.signal('kiff.review', { approval_id: held.approvalId, jws: 'second' })
    await held.handle.signal('kiff.review', { approval_id: held.approvalId, jws: await jwsOf(stack, held.approvalId) })
    await stack.startGate({ queue })
    expect(await held.handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(await rejections(held.entityId)).toEqual([untrusted, untrusted])
  })

  test('counts only with the kind of signature that reviews have', async () => {
    const { privateKey, publicKeys } = await generateDevReviewKey()
    const verify = createReviewVerifier(publicKeys)
    const review = aReview({ approvalId: randomUUID(), digest: 'd' })
    const key = await importJWK(privateKey, 'EdDSA')
    const signAs = (typ: string, payload: unknown) =>
      new CompactSign(bytes(JSON.stringify(payload))).setProtectedHeader({ alg: 'EdDSA', typ, kid: privateKey.kid ?? '' }).sign(key)
    expect(await verify(await signAs('kiff-review+jws', review))).toEqual(review)
    expect(await verify(await signAs('kiff-checkpoint+jws', review))).toBeNull()
    expect(await verify(await signAs('kiff-review+jws', { ...review, purpose: 'reconcile' }))).toBeNull()
    expect(await verify(await signAs('kiff-review+jws', { ...review, also: 'this' }))).toBeNull()
    expect(() => createReviewVerifier({ keys: [privateKey] })).toThrow('must not hold a private review key')
  })
})

/** The pause that a workflow makes before it asks the gate once more. */
async function slowedDown({ handle }: HeldRefund): Promise<unknown> {
  return eventually(async () => {
    const summaries = ((await handle.fetchHistory()).events ?? []).map((event) => event.timerStartedEventAttributes && event.userMetadata?.summary && defaultPayloadConverter.fromPayload<string>(event.userMetadata.summary))
    return summaries.find((summary) => summary === 'too many reviews that are not genuine')
  })
}

describe.concurrent('a flood', () => {
  test('of 300 signals is judged a few at a time, the rest is counted, and the genuine review gets through', async () => {
    const held = await aHeldRefund()
    await Promise.all(Array.from({ length: 300 }, (_, index) => held.handle.signal('kiff.review', { approval_id: held.approvalId, jws: `forged ${index}` })))
    await eventually(async () => (await rejections(held.entityId)).length > 0)
    expect(await grantAndDeliver(held)).toMatchObject({ outcome: 'allowed' })
    expect(effects(held.entityId)).toBe(1)
    const { currentDetails } = await held.handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata')
    expect(currentDetails ?? '').not.toContain('forged')
  })

  test('that does not end slows the workflow down, not the gate', async () => {
    const held = await aHeldRefund()
    for (const number of [1, 2, 3, 4]) {
      await held.handle.signal('kiff.review', { approval_id: held.approvalId, jws: `forged ${number}` })
      await eventually(async () => (await rejections(held.entityId)).length >= number)
    }
    expect(await slowedDown(held)).toBeDefined()
    await held.handle.terminate()
  })

  test('of demands to look again, which grant nothing, slows it down as well', async () => {
    const held = await aHeldRefund()
    const looks = async () => (await stack.db.pool('auditor').query("select from kiff.ledger where body::jsonb ->> 'entity_id' = $1 and body::jsonb ->> 'kind' = 'repeated'", [held.entityId])).rows.length
    for (const number of [1, 2, 3, 4]) {
      await held.handle.signal('kiff.review', { approval_id: null, jws: [] })
      await eventually(async () => (await looks()) >= number)
    }
    expect(await slowedDown(held)).toBeDefined()
    expect(await rejections(held.entityId)).toEqual([])
    expect(effects(held.entityId)).toBe(0)
    await held.handle.terminate()
  })

  test('of one signal over and over costs no gate call each', async () => {
    const held = await aHeldRefund()
    await Promise.all(Array.from({ length: 50 }, () => held.handle.signal('kiff.review', { approval_id: held.approvalId, jws: 'forged' })))
    expect(await grantAndDeliver(held)).toMatchObject({ outcome: 'allowed' })
    expect((await rejections(held.entityId)).length).toBeLessThan(10)
  })
})
