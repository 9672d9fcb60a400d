/**
 * KIFF's ai-cafe-ops: an agent runs a café's shift. No low-risk twin: one ORDER_INVENTORY whose approval rule draws both ceilings,
 * the shift's total counted from its recorded orders; the catalog is in the contract, the hour is read from the café's clock.
 */
import { defineDomain, entity, factFromLoader } from 'kiff-temporal'
import { z } from 'zod'
import { because } from './because.ts'
import { id, nothing, reason } from './fields.ts'

const amountCents = z.int().min(1).max(50_000)
const order = z.strictObject({ itemId: id, quantity: z.int().min(1).max(10_000), amountCents })
const specialty = z.strictObject({ itemId: id, rationale: reason })
const escalation = z.strictObject({ supplierId: id, reason })

const Shift = entity('Shift', {
  states: ['NEW', 'OPEN', 'AWAITING_HUMAN'],
  events: {
    SHIFT_SCHEDULED: { from: null, to: 'NEW', payload: nothing, reportedBy: 'shifts.schedule' },
    SHIFT_STARTED: { from: 'NEW', to: 'OPEN', payload: nothing },
    INVENTORY_ORDERED: { from: 'OPEN', to: 'OPEN', payload: z.strictObject({ ...order.shape, orderId: id }) },
    SPECIALTY_REQUESTED: { from: 'OPEN', to: 'OPEN', payload: specialty },
    STAFF_MESSAGED: { from: 'OPEN', to: 'OPEN', payload: z.strictObject({ recipient: id, messageId: id }) },
    SUPPLIER_ESCALATED: { from: 'OPEN', to: 'AWAITING_HUMAN', payload: escalation },
  },
})

const orderedCents = Shift.factFromEvents(['INVENTORY_ORDERED'], z.int(), (orders) => orders.reduce((sum, { payload }) => sum + payload.amountCents, 0))
/** Whether it is day at the café: its clock gives the hour, but consent is not for an hour. */
const daytime = factFromLoader(z.int().min(0).max(23), z.boolean(), (hour) => hour >= 7 && hour < 22)

/** Above this, a single order needs a person; and so does one that brings the shift's orders above the second. */
const singleCeilingCents = 5_000
const shiftCeilingCents = 20_000
const catalog: readonly string[] = ['napkins', 'coffee_beans', 'oat_milk', 'sugar_packets', 'paper_cups', 'to_go_lids', 'chocolate_powder']

const notInCatalog = ({ params }: { readonly params: { readonly itemId: string } }): string | false => !catalog.includes(params.itemId) && `${params.itemId} is not in the catalog`
const asked = { reviewers: 'shifts.review', expiresIn: '8 hours' } as const
const running = { from: ['OPEN'], permission: 'shifts.run' } as const

export const aiCafeOps = defineDomain({
  name: 'ai-cafe-ops',
  actions: {
    START_SHIFT: Shift.action({
      description: 'Open a scheduled shift', from: ['NEW'], params: nothing, output: nothing, permission: 'shifts.run', risk: 'low', effect: 'none',
      describe: ({ entityId }) => `Open ${entityId}`,
      emits: { SHIFT_STARTED: () => ({}) },
    }),
    ORDER_INVENTORY: Shift.action({
      ...running, description: 'Order what the catalog has from its supplier', params: order, output: z.strictObject({ orderId: id }), risk: 'high',
      facts: { orderedCents },
      forbid: notInCatalog,
      approval: {
        ...asked,
        when: ({ params, facts }) => because(
          params.amountCents > singleCeilingCents && `amount ${params.amountCents} > single-order ceiling ${singleCeilingCents}`,
          facts.orderedCents + params.amountCents > shiftCeilingCents && `shift total ${facts.orderedCents + params.amountCents} > per-shift ceiling ${shiftCeilingCents}`,
        ),
      },
      effect: { idempotentFor: '24 hours' },
      describe: ({ params }) => `Order ${params.quantity} ${params.itemId} for at most ${params.amountCents} cents`,
      emits: { INVENTORY_ORDERED: ({ params, output }) => ({ ...params, orderId: output.orderId }) },
    }),
    REQUEST_SPECIALTY: Shift.action({
      ...running, description: 'Ask for something special from the catalog', params: specialty, output: nothing, risk: 'medium',
      forbid: notInCatalog,
      approval: { ...asked, always: 'a specialty is a person\'s choice' },
      effect: 'none',
      describe: ({ params }) => `Ask for ${params.itemId}: ${params.rationale}`,
      emits: { SPECIALTY_REQUESTED: ({ params }) => params },
    }),
    SEND_STAFF_MESSAGE: Shift.action({
      ...running, description: 'Write to somebody of the staff, in the daytime', params: z.strictObject({ recipient: id, message: reason }), output: z.strictObject({ messageId: id }), risk: 'medium',
      facts: { daytime },
      forbid: ({ facts }) => !facts.daytime && 'it is night at the café: nobody is written to between 22 and 7',
      approval: { ...asked, always: 'a person reads what the staff is told', binds: 'state' },
      effect: 'external',
      describe: ({ params }) => `Tell ${params.recipient}: ${params.message}`,
      emits: { STAFF_MESSAGED: ({ params, output }) => ({ recipient: params.recipient, messageId: output.messageId }) },
    }),
    ESCALATE_SUPPLIER: Shift.action({
      ...running, description: 'Hand a supplier\'s trouble to a person', params: escalation, output: nothing, risk: 'medium', effect: 'none',
      describe: ({ params }) => `Hand ${params.supplierId} to a person: ${params.reason}`,
      emits: { SUPPLIER_ESCALATED: ({ params }) => params },
    }),
  },
  roles: { 'shift-manager': ['shifts.run'], owner: ['shifts.review'], planner: ['shifts.schedule'] },
})
