import { expect, test } from 'vitest'
import { z } from 'zod'
import { readsOf } from '../../src/core/verify-reads.ts'
import { anAction } from './a-small-domain.ts'

const params = Object.freeze({ a: Object.freeze({ b: 1, c: 2 }), list: Object.freeze([{ n: 1 }, { n: 2 }]), flag: true })
type Params = typeof params

test.each<[string, (params: Params) => unknown, string[]]>([
  ['nothing', () => false, []],
  ['a member, and those on the way to it', (params) => params.a.b, ['params.a', 'params.a.b']],
  ['by taking apart', ({ a: { c } }) => c, ['params.a', 'params.a.c']],
  ['by asking whether it is there', (params) => 'flag' in params, ['params.flag']],
  ['by asking whether it is its own', (params) => Object.hasOwn(params, 'flag'), ['params.flag']],
  ['all of it', (params) => Object.values({ ...params.a }), ['params.a', 'params.a.b', 'params.a.c']],
  ['each of a list', (params) => params.list.map(({ n }) => n), ['params.list', 'params.list[]', 'params.list[].n']],
  ['the length of a list alone', (params) => params.list.length, ['params.list']],
  ['a member that is not there', (params): unknown => Reflect.get(params, 'other'), ['params.other']],
  ['nothing of what every value has', (params) => params.a.valueOf(), ['params.a']],
  ['until it throws', (params) => { if (params.flag) throw new Error('no'); return params.a }, ['params.flag']],
])('a rule reads %s', (_, rule, places) => {
  expect(readsOf({ params }, ({ params }) => rule(params))).toEqual(places)
})

test('what a rule is given is what it would be given, and one value is one value', () => {
  const seen: unknown[] = []
  readsOf({ params }, (watched) => {
    seen.push(JSON.parse(JSON.stringify(watched.params)), watched.params.a === watched.params.a, watched.params.list.includes(watched.params.list[1] ?? { n: 0 }))
  })
  expect(seen).toEqual([params, true, true])
})

test('a contract tells what each of its functions reads', () => {
  const contract = anAction(z.strictObject({ a: z.string() }), {
    check: ({ params }) => params.a === 'check' && 'x', forbid: ({ facts }) => facts['known'] === 'forbid' && 'x',
    approval: { when: ({ entityId, params }) => entityId + params.a === '' && 'x', reviewers: 'tickets.review', expiresIn: '1 day' },
    describe: ({ facts }) => String(facts['other']), emits: { MOVED: ({ output }): unknown => Reflect.get(Object(output), 'id'), CLOSED: ({ params }) => params.a },
  })
  expect(contract.policyReads({ params: { a: 'x' }, facts: { known: 'x' }, output: { id: 'y' } }))
    .toEqual({ check: ['params.a'], forbid: ['facts.known'], approval: ['params.a'], describe: ['facts.other'], emits: ['output.id', 'params.a'] })
})
