/**
 * `kiff-temporal/testing`: a domain, or a workflow, tried without Postgres and without a reviewer at a screen.
 *
 * For a domain: given, when, then; no server at all.
 *
 *   const scene = await testDomain(refunds, {
 *     members: { 'support-agent-1': 'support-agent', maria: 'finance' },
 *     executors: { REFUND_ORDER: { refundId: 'r-1' } },      // what it returns, or a function; it may throw NotDone
 *     loaders: { openClaims: 0 },                            // what it loads, or a function
 *   })
 *   await scene.given('Order', 'order-1', [['ORDER_PLACED', { amountCents: 5_000 }], ['ORDER_PAID', { paymentId: 'p-1' }]])
 *   const asked = await scene.propose('support-agent-1', 'REFUND_ORDER', 'order-1', { amountCents: 12_000, reason: 'late' })
 *   const result = await scene.granted(asked, { by: 'maria', reason: 'seen the parcel' })
 *   // result.outcome 'allowed'; scene.state('Order', 'order-1') 'REFUNDED'; scene.effects; scene.timeline('order-1')
 *
 * For a workflow: the real gate's activities, for a worker of the user's own test, on any Temporal server.
 *
 *   const kit = await createKit({ domain: refunds, client, members: { … }, executors: { … } })
 *   const worker = await Worker.create({ connection, taskQueue: kit.taskQueue, workflowsPath, activities: kit.activities, plugins: [new KiffPlugin()] })
 *   await kit.report('ORDER_PLACED', 'order-1', { amountCents: 5_000 }, { by: 'shop' })
 *   // start the workflow, then:
 *   await kit.review({ workflowId: 'ticket-1' }, 'denied', { by: 'maria', reason: 'no receipt' })
 */
export { aFixedClock, type Clock, type FixedClock } from './clock.ts'
export { createKit, type ApprovalRef, type Kit, type KitOptions } from './kit.ts'
export { testDomain, type ActingAs, type Asked, type Proposing, type Reviewing, type Scene, type SceneOptions } from './scene.ts'
export type { GivenExecutor, GivenExecutors, GivenLoader, GivenLoaders, SpiedEffect } from './spies.ts'
export type { Member, Past } from './test-gate.ts'
export type { EventRecord } from './memory/views.ts'
export type { AuditRecord } from '../core/audit-record.ts'
export type { GateAnswer, Waiting } from '../core/store.ts'
export { NotDone } from '../core/execution.ts'
