/** `domain.test.ts` of a domain to start from. */
import { importing } from './literal.ts'
import { lowerCase, upperCase } from './names.ts'
import type { Starter } from './starter-domain.ts'

export function starterTest({ domain, constant, entity }: Starter): string {
  const upper = upperCase(entity)
  const id = `'${lowerCase(entity)}-1'`
  return `/** ${domain} on the real gate, with its records in memory: given what happened, when this is proposed, then that comes out. */
${importing('assert', 'node:assert/strict')}
${importing('{ beforeEach, test }', 'node:test')}
${importing('{ testDomain, type Scene }', 'kiff-temporal/testing')}
${importing(`{ autonomousLimitCents, ${constant} }`, './domain.ts')}

let scene: Scene<typeof ${constant}>
beforeEach(async () => {
  scene = await testDomain(${constant}, {
    members: { 'agent-1': 'agent', maria: 'reviewer', source: 'reporter' },
    executors: { SETTLE_${upper}: { paymentId: 'payment-1' } }, // what it returns, or a function
  })
  await scene.given('${entity}', ${id}, [['${upper}_OPENED'], ['${upper}_STARTED']])
})
const settle = (amountCents: number) => scene.propose('agent-1', 'SETTLE_${upper}', ${id}, { amountCents })

test('up to the limit it is settled at once', async () => {
  assert.equal((await scene.propose('agent-1', 'NOTE_${upper}', ${id}, { note: 'they called' })).outcome, 'allowed')
  assert.equal((await settle(autonomousLimitCents)).outcome, 'allowed')
  assert.equal(scene.state('${entity}', ${id}), 'SETTLED')
  assert.equal(scene.effects.length, 1)
})

test('above the limit it is held, and done when a person agrees', async () => {
  const asked = await settle(autonomousLimitCents + 1)
  assert.equal(asked.outcome, 'approval_required')
  assert.equal(scene.effects.length, 0)
  assert.equal((await scene.granted(asked, { by: 'maria' })).outcome, 'allowed')
  assert.equal(scene.state('${entity}', ${id}), 'SETTLED')
  assert.equal(scene.effects.length, 1)
})

test('a person who says no ends it', async () => {
  const result = await scene.denied(await settle(autonomousLimitCents + 1), { by: 'maria', reason: 'far too much' })
  assert.ok(result.outcome === 'blocked' && result.reason === 'approval_denied')
  assert.equal(scene.effects.length, 0)
})

test('before it is started, and once it is settled, nothing is paid', async () => {
  await scene.report('source', '${upper}_OPENED', 'another')
  const early = await scene.propose('agent-1', 'SETTLE_${upper}', 'another', { amountCents: 1 })
  assert.ok(early.outcome === 'blocked' && early.reason === 'state_not_allowed')
  await settle(1)
  const late = await settle(2)
  assert.ok(late.outcome === 'blocked' && late.reason === 'state_not_allowed')
  assert.equal(scene.effects.length, 1)
})

test('the agent cannot report what only a reporter knows', async () => {
  const result = await scene.report('agent-1', '${upper}_OPENED', 'another')
  assert.ok(result.outcome === 'blocked' && result.reason === 'event_not_reportable')
})
`
}
