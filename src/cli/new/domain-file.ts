/** `domain.ts` of a described domain: its rules, with a TODO at each decision that the descriptor leaves open. */
import { asSentence } from './names.ts'
import { importing, inTemplate, key, literal, literals, member } from './literal.ts'
import type { Plan, PlannedAction, PlannedEvent } from './planned.ts'

export function domainFile({ domain, constant, entity, states, events, actions, reviewers, roles }: Plan): string {
  return `/**
 * ${domain}: rules only, made from a descriptor. Each TODO is a decision that the descriptor leaves open; what stands there until
 * then is the careful choice.
 */
${importing('{ defineDomain, entity }', 'kiff-temporal')}
${importing('{ z }', 'zod')}
${usesText(actions, events) ? `
const text = z.string().min(1).max(200)
` : ''}
const ${entity} = entity(${literal(entity)}, {
  states: [${literals(states)}],
  events: {
${events.map(eventLines).join('\n')}
  },
})

export const ${constant} = defineDomain({
  name: ${literal(domain)},
  actions: {
${actions.map((action) => actionLines(action, entity, events, reviewers)).join('\n')}
  },
  roles: {
${roles.map(({ name, permissions, because }) => `${because === null ? '' : `    // TODO: ${because}\n`}    ${key(name)}: [${literals(permissions)}],`).join('\n')}
  },
})
`
}

const usesText = (actions: Plan['actions'], events: Plan['events']): boolean => actions.some(({ params }) => params.length > 0) || events.some(({ payload }) => payload.length > 0)

const schemaOf = (names: readonly string[]): string => (names.length === 0 ? 'z.strictObject({})' : `z.strictObject({ ${names.map((name) => `${key(name)}: text`).join(', ')} })`)

function eventLines({ name, from, to, payload, reportedBy }: PlannedEvent): string {
  const [only, ...more] = from ?? []
  const sources = only === undefined ? 'null' : more.length === 0 ? literal(only) : `[${literals([only, ...more])}]`
  return `    // TODO: ${reportedBy === null ? 'say what is recorded of it; until then, what its action is given' : 'say what is told of it, and who may report it'}
    ${key(name)}: { from: ${sources}, to: ${literal(to)}, payload: ${schemaOf(payload)}${reportedBy === null ? '' : `, reportedBy: ${literal(reportedBy)}`} },`
}

function actionLines(action: PlannedAction, entity: string, events: Plan['events'], reviewers: string): string {
  const { name, from, params, permission, isPermissionAdded, risk, approval, emits } = action
  return `    ${key(name)}: ${entity}.action({
      // TODO: say in a sentence what it does: people and models read it
      description: ${literal(asSentence(name))},
      from: [${literals(from)}],
${params.length === 0 ? '' : '      // TODO: give each its own type and bounds; an amount is a number with a maximum: z.int().positive().max(10_000_000)\n'}      params: ${schemaOf(params)},
      // TODO: say what the executor gives back
      output: z.strictObject({}),
${isPermissionAdded ? '      // TODO: name the permission: the descriptor requires none, here there is always one\n' : ''}      permission: ${literal(permission)},
      risk: ${literal(risk)},
${approval === null ? '' : `      // TODO: ${approval.todo}
      approval: { always: ${literal(approval.words)}, reviewers: ${literal(reviewers)}, expiresIn: '3 days' },
`}      // TODO: 'external' is never tried twice; where the receiver does it once for each key, { idempotentFor: '24 hours' }; where the record is all, 'none'
      effect: 'external',
${approval === null ? `      // TODO: name who says how it ended, when nobody knows
      reconciledBy: ${literal(reviewers)},
` : ''}      // TODO: say in words what exactly will happen: whoever agrees reads this
      describe: ({ ${params.length === 0 ? '' : 'params, '}entityId }) => \`${described(action)}\`,
${emits.length === 0 ? '' : `      emits: {
${emits.map((event) => `        ${key(event)}: ${payloadOf(event, events)},`).join('\n')}
      },
`}    }),`
}

function described({ name, params }: PlannedAction): string {
  const words = `${inTemplate(asSentence(name))}: \${entityId}`
  return [words, ...params.map((param) => `${inTemplate(param)} \${${member('params', param)}}`)].join(', ')
}

function payloadOf(event: string, events: Plan['events']): string {
  const payload = events.find(({ name }) => name === event)?.payload ?? []
  return payload.length === 0 ? '() => ({})' : `({ params }) => ({ ${payload.map((name) => `${key(name)}: ${member('params', name)}`).join(', ')} })`
}
