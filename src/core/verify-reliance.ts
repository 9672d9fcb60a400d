/**
 * Verifying what rules rely on. The rules are run on samples and watched: which parameters do they read? What the action itself is
 * about may be the agent's word, and has to be bounded; a claim about the world may not. Which is which can't be proven, so this is
 * the rule of thumb, in favour of few false alarms:
 *
 * - a truth (`trustedVendor: true`) that `check`, `forbid` or `approval.when` reads is a claim, and so is a parameter that can only be `true`;
 * - a word of an enumeration, or a text, is a claim unless `describe` tells it; a text that only `check` reads is merely checked for its form;
 * - a number is a claim unless the action describes or emits it: then it is the action's own size.
 *
 * Where an approval always asks, a person sees the parameters, and `when` is not relied on. A rule's branch that no sample enters
 * (a comparison with a text or a number of the author's own) is not seen.
 */
import type { Contract } from './contract.ts'
import { finding, type Finding } from './findings.ts'
import { samplesOf } from './samples.ts'
import { isSaid } from './verify-approvals.ts'
import { placesOf, type Shape } from './verify-schema.ts'

/** How many samples of parameters and facts together a contract's rules are watched on. */
const samples = 256

export function relianceFindings(action: string, contract: Contract): Finding[] {
  const read = watched(contract)
  const claimed = new Map<string, Finding>()
  for (const { path, shape } of placesOf(contract.paramsSchema)) {
    if (isAsserted(contract, path)) continue
    const relying = reliesOn(`params.${path}`, shape, read, contract.approval?.always == null)
    if (relying !== undefined) claimed.set(path, finding('asserted_fact', { action }, `${relying} relies on parameter ${path}, which is only what the agent says`))
  }
  const unused = Object.keys(contract.facts).filter((fact) => !Object.values(read).some((places) => places.has(`facts.${fact}`)))
  return [...claimed.values(), ...unused.map((fact) => finding('fact_unused', { action }, `nothing reads fact ${fact}`))]
}

/** The domain says where the parameter at this place really comes from. */
export function isAsserted({ asserted }: Contract, path: string): boolean {
  const parameter = path.split(/[.[]/)[0] ?? path
  return Object.hasOwn(asserted, parameter) && isSaid(asserted[parameter])
}

export type Watched = Readonly<Record<'check' | 'forbid' | 'approval' | 'describe' | 'emits', ReadonlySet<string>>>

/** What each of a contract's functions has read, over all samples. */
export function watched({ paramsSchema, facts, outputSchema, policyReads }: Contract): Watched {
  const read = { check: new Set<string>(), forbid: new Set<string>(), approval: new Set<string>(), describe: new Set<string>(), emits: new Set<string>() }
  const outputs = samplesOf(outputSchema, 8)
  const contexts = pairs(samplesOf(paramsSchema, samples), factSamples(facts))
  for (const [index, { params, facts: values }] of contexts.entries()) {
    const reads = policyReads({ params, facts: values, output: outputs[index % outputs.length] })
    for (const rule of ['check', 'forbid', 'approval', 'describe', 'emits'] as const) for (const place of reads[rule]) read[rule].add(place)
  }
  return read
}

function factSamples(facts: Contract['facts']): readonly unknown[] {
  const properties = Object.fromEntries(Object.entries(facts).map(([name, { schema }]) => [name, schema]))
  return samplesOf({ type: 'object', properties, required: Object.keys(properties) }, samples)
}

/** Every combination, or as many as fit, so that each of the one and each of the other is met. */
function pairs(params: readonly unknown[], facts: readonly unknown[]): readonly { readonly params: unknown; readonly facts: unknown }[] {
  const all = params.length * facts.length
  const stride = all > samples ? 7 : 0
  return Array.from({ length: Math.min(all, samples) }, (_, index) => ({ params: params[index % params.length], facts: facts[(index * stride + Math.floor(index / params.length)) % facts.length] }))
}

/** The rule that relies on the claim at this place, or `undefined`. */
function reliesOn(place: string, shape: Shape, { check, forbid, approval, describe, emits }: Watched, approvalDecides: boolean): string | undefined {
  const rules = { check, forbid, ...(approvalDecides && { 'approval.when': approval }) }
  const reading = Object.entries(rules).find(([rule, read]) => read.has(place) && !(rule === 'check' && shape.kind === 'string'))?.[0]
  if (shape.kind === 'boolean') return reading
  if (shape.kind === 'fixed' && shape.values.every((value) => typeof value === 'boolean')) return reading ?? (shape.values.includes(true) ? 'its schema' : undefined)
  if (shape.kind === 'number') return describe.has(place) || emits.has(place) ? undefined : reading
  if (shape.kind === 'string' || (shape.kind === 'fixed' && !shape.values.every((value) => value === null))) return describe.has(place) ? undefined : reading
  return undefined
}
