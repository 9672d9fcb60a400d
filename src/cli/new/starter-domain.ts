/** `domain.ts` of a domain to start from: one entity, two events that are reported, an action of low risk and one that may need a person. */
import { importing } from './literal.ts'
import { inWords, upperCase } from './names.ts'

export interface Starter {
  /** A domain's and an entity's name, in their forms: they stand in the text as they are. */
  readonly domain: string
  readonly constant: string
  readonly entity: string
}

export function starterDomain({ domain, constant, entity }: Starter): string {
  const upper = upperCase(entity)
  return `/** ${domain}: rules only. What a ${inWords(entity)} is, what may happen to it, and when a person has to agree. */
${importing('{ defineDomain, entity }', 'kiff-temporal')}
${importing('{ z }', 'zod')}

const cents = z.int().positive().max(1_000_000)
const note = z.string().min(1).max(500)

const ${entity} = entity('${entity}', {
  states: ['OPEN', 'ACTIVE', 'SETTLED'],
  events: {
    // Whoever holds ${domain}.report may tell of these.
    ${upper}_OPENED: { from: null, to: 'OPEN', payload: z.strictObject({}), reportedBy: '${domain}.report' },
    ${upper}_STARTED: { from: 'OPEN', to: 'ACTIVE', payload: z.strictObject({}), reportedBy: '${domain}.report' },
    // An event without reporters can only come from an action.
    ${upper}_NOTED: { from: 'ACTIVE', to: 'ACTIVE', payload: z.strictObject({ note }) },
    ${upper}_SETTLED: { from: 'ACTIVE', to: 'SETTLED', payload: z.strictObject({ amountCents: cents, paymentId: z.string().min(1).max(100) }) },
  },
})

/** Above this a person has to agree. */
export const autonomousLimitCents = 10_000

export const ${constant} = defineDomain({
  name: '${domain}',
  actions: {
    NOTE_${upper}: ${entity}.action({
      description: 'Note something on a ${inWords(entity)}; it stays as it is',
      from: ['ACTIVE'],
      params: z.strictObject({ note }),
      output: z.strictObject({}),
      permission: '${domain}.note',
      risk: 'low',
      effect: 'none', // the record is all
      describe: ({ params, entityId }) => \`Note on \${entityId}: \${params.note}\`,
      emits: { ${upper}_NOTED: ({ params }) => ({ note: params.note }) },
    }),
    SETTLE_${upper}: ${entity}.action({
      description: 'Pay out an amount on a ${inWords(entity)}, which settles it for good',
      from: ['ACTIVE'],
      params: z.strictObject({ amountCents: cents }),
      output: z.strictObject({ paymentId: z.string().min(1).max(100) }),
      permission: '${domain}.settle',
      risk: 'high',
      approval: {
        when: ({ params }) => params.amountCents > autonomousLimitCents && \`\${params.amountCents} cents are above the autonomous limit of \${autonomousLimitCents}\`,
        reviewers: '${domain}.review',
        expiresIn: '3 days',
      },
      effect: { idempotentFor: '24 hours' }, // whoever pays does it once for each key, for that long
      describe: ({ params, entityId }) => \`Pay out \${params.amountCents} cents on \${entityId}, and settle it\`,
      emits: { ${upper}_SETTLED: ({ params, output }) => ({ amountCents: params.amountCents, paymentId: output.paymentId }) },
    }),
  },
  roles: {
    agent: ['${domain}.note', '${domain}.settle'],
    reviewer: ['${domain}.review'],
    reporter: ['${domain}.report'],
  },
})
`
}
