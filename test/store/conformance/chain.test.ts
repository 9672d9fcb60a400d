import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ledgerBody } from '../../../src/core/ledger-row.ts'
import { again, aProposal, aStep, theStore, blocked, type AnyStore } from '../the-store.ts'
import { faultsOf } from '../recompute.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

describe('every chain', () => {
  test('can be recomputed from its rows, with nothing but SHA-256: of entities, run chains, and roles', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    await it.complete(proposal)
    await it.refuse(aProposal('nobody-at-all'))
    const unicode = aProposal(await it.anAccount('Ärger-€-😀'), { note: '€ 😀 \u2028' })
    await it.refuse(unicode)
    expect(new Set((await it.ledger()).map(({ chainKind }) => chainKind))).toEqual(new Set(['entity', 'run', 'roles']))
    expect(await faultsOf(it)).toEqual([])
  })

  test('is handed to the workflow as the record it will find again', async () => {
    const proposal = aProposal(await it.anAccount())
    const commit = await it.refuse(proposal)
    const row = (await it.ledger()).findLast(({ chain }) => chain === `ledgers/Account/${proposal.request.entityId}`)
    expect(Reflect.get(commit, 'record')).toEqual({ chain: row?.chain, seq: 2, hash: row?.hash })
  })

  test('keeps the body to the last character', async () => {
    const body = ledgerBody({ kind: 'refused', step: aStep({ activityId: '7' }), domain: 'ledgers', entityType: null, entityId: null, action: 'X', actor: 'bot-1', params: { b: 1, a: 'é' }, approvalId: 'a', executionKey: 'k', audit: [] })
    await it.store.recordAnswer({ body, answer: blocked, guard: null })
    expect((await it.ledger()).map((row) => row.body)).toContain(body)
  })
})

describe('where a row goes', () => {
  test('a refusal about an entity that does not exist: to the run chain, and no entity is made', async () => {
    const proposal = aProposal('a-stranger')
    const { namespace, firstExecutionRunId, workflowId } = proposal.step
    expect(await it.refuse(proposal)).toMatchObject({ status: 'committed', record: { chain: `${namespace}/${firstExecutionRunId}/${workflowId}`, seq: 1 } })
    expect((await it.facts(again(proposal))).state).toBeNull()
    expect((await it.chains()).map(({ key }) => key)).not.toContain('ledgers/Account/a-stranger')
  })

  test('the next one of the same run goes behind it, that of another run does not', async () => {
    const proposal = aProposal('another-stranger')
    await it.refuse(proposal)
    expect(await it.refuse(again(proposal))).toMatchObject({ record: { seq: 2 } })
    expect(await it.refuse(aProposal('another-stranger'))).toMatchObject({ record: { seq: 1 } })
  })

  test.each(['namespace', 'workflow_id', 'first_execution_run_id', 'run_id', 'activity_id'])('nowhere, when it does not say of which call it is: %s', async (field) => {
    const body = ledgerBody({ kind: 'refused', step: aStep(), domain: 'ledgers', entityType: null, entityId: null, action: 'X', actor: 'bot-1', audit: [] })
    const before = await it.ledgerLength()
    await expect(it.store.recordAnswer({ body: JSON.stringify({ ...(JSON.parse(body) as object), [field]: null }), answer: blocked, guard: null })).rejects.toMatchObject({ code: '23502' })
    expect(await it.ledgerLength()).toBe(before)
  })

  test('a refusal about an entity that exists: to its chain', async () => {
    const account = await it.anAccount()
    expect(await it.refuse(aProposal(account))).toMatchObject({ record: { chain: `ledgers/Account/${account}`, seq: 2 } })
  })
})
