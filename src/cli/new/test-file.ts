/** `domain.test.ts` of a described domain: one way through it, and each action where it is allowed, where it is not, and denied. */
import { lowerCase } from './names.ts'
import { importing, key, literal } from './literal.ts'
import { happyPath, pathTo, stateAfter, type HappyStep } from './paths.ts'
import type { Plan, PlannedAction, PlannedEvent } from './planned.ts'

/** Who is in the test: whoever reports, whoever reviews, and one for each role that proposes. */
interface Cast {
  readonly proposerOf: (action: PlannedAction) => string
  readonly members: readonly (readonly [actor: string, role: string])[]
}

const reporter = 'source'
const reviewer = 'maria'

export function testFile(plan: Plan): string {
  const { domain, constant, actions } = plan
  const cast = castOf(plan)
  const { steps, end } = happyPath(plan)
  return `/** ${domain} on the real gate, with its records in memory. The executors are this test's own: what they give back is written here. */
${importing('assert', 'node:assert/strict')}
${importing('{ beforeEach, test }', 'node:test')}
${importing('{ testDomain, type Scene }', 'kiff-temporal/testing')}
${importing(`{ ${constant} }`, './domain.ts')}

let scene: Scene<typeof ${constant}>
beforeEach(async () => {
  scene = await testDomain(${constant}, {
    members: { ${cast.members.map(([actor, role]) => `${key(actor)}: ${literal(role)}`).join(', ')} },
    executors: { ${actions.map(({ name }) => `${key(name)}: {}`).join(', ')} },
  })
})

test(${literal(`from nothing to ${end}, each step by who may take it`)}, async () => {
${steps.map((step) => stepLines(step, plan, cast)).join('\n')}
  ${expectState(plan, end)}
})
${actions.map((action) => actionTests(action, plan, cast)).join('')}`
}

function castOf({ roles, actions, reporters, reviewers }: Plan): Cast {
  const holding = (permission: string): string => roles.find(({ permissions }) => permissions.includes(permission))?.name ?? ''
  const actorOf = (role: string): string => (/^[a-z][a-z0-9-]*$/.test(role) ? `${role}-1` : `proposer.${roles.findIndex(({ name }) => name === role) + 1}`)
  const proposing = [...new Set(actions.map(({ permission }) => holding(permission)))]
  return {
    proposerOf: ({ permission }) => actorOf(holding(permission)),
    members: [...proposing.map((role) => [actorOf(role), role] as const), ...(actions.some(({ approval }) => approval !== null) ? [[reviewer, holding(reviewers)] as const] : []), [reporter, holding(reporters)]],
  }
}

function stepLines(step: HappyStep, plan: Plan, cast: Cast): string {
  if ('event' in step) return `  assert.equal((await scene.report(${literal(reporter)}, ${literal(step.event.name)}, ${id(plan)}, ${sample(step.event.payload)})).outcome, 'allowed')`
  const proposed = propose(step.action, plan, cast)
  if (step.action.approval === null) return `  assert.equal((${proposed}).outcome, 'allowed')`
  return `  assert.equal((await scene.granted(${proposed}, { by: ${literal(reviewer)} })).outcome, 'allowed')`
}

function actionTests(action: PlannedAction, plan: Plan, cast: Cast): string {
  const { name, from, approval } = action
  const [allowed = ''] = from
  const proposed = propose(action, plan, cast)
  const wrong = plan.states.find((state) => !from.includes(state))
  const done = `  ${expectState(plan, stateAfter(plan, action, allowed))}
  assert.equal(scene.effects.length, 1)`
  const tests = approval === null
    ? [test(`${name} in ${allowed}: allowed`, allowed, plan, `  assert.equal((${proposed}).outcome, 'allowed')\n${done}`)]
    : [
        test(`${name} in ${allowed}: held, and done when a person agrees`, allowed, plan, `  const asked = ${proposed}
  assert.equal(asked.outcome, 'approval_required')
  assert.equal(scene.effects.length, 0)
  assert.equal((await scene.granted(asked, { by: ${literal(reviewer)} })).outcome, 'allowed')\n${done}`),
        test(`${name} in ${allowed}: a person who says no ends it`, allowed, plan, `  const result = await scene.denied(${proposed}, { by: ${literal(reviewer)}, reason: 'no' })
  assert.ok(result.outcome === 'blocked' && result.reason === 'approval_denied')
  ${expectState(plan, allowed)}
  assert.equal(scene.effects.length, 0)`),
      ]
  if (wrong !== undefined) {
    tests.push(test(`${name} in ${wrong}: refused`, wrong, plan, `  const result = ${proposed}
  assert.ok(result.outcome === 'blocked' && result.reason === 'state_not_allowed')
  assert.equal(scene.effects.length, 0)`))
  }
  return tests.join('')
}

function test(title: string, state: string, plan: Plan, body: string): string {
  const past = pathTo(plan, state).map(({ name, payload }: PlannedEvent) => `[${literal(name)}, ${sample(payload)}]`)
  return `
test(${literal(title)}, async () => {
  await scene.given(${literal(plan.entity)}, ${id(plan)}, [${past.join(', ')}])
${body}
})
`
}

const id = ({ entity }: Plan): string => literal(`${lowerCase(entity)}-1`)
const propose = (action: PlannedAction, plan: Plan, cast: Cast): string => `await scene.propose(${literal(cast.proposerOf(action))}, ${literal(action.name)}, ${id(plan)}, ${sample(action.params)})`
const expectState = (plan: Plan, state: string): string => `assert.equal(scene.state(${literal(plan.entity)}, ${id(plan)}), ${literal(state)})`
/** Each name is its own value. */
const sample = (names: readonly string[]): string => (names.length === 0 ? '{}' : `{ ${names.map((name) => `${key(name)}: ${literal(name)}`).join(', ')} }`)
