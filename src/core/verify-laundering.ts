/**
 * Verifying what becomes of a claim: an agent asserts a truth in one action, the action's event records it, and the rule of another
 * reads it back as a fact of the entity's past. KIFF's weak point 9 with one step between. Told by names: the parameter and the
 * member of the fact are called the same.
 */
import type { Contract } from './contract.ts'
import { finding, type Finding } from './findings.ts'
import { isAsserted, watched } from './verify-reliance.ts'
import { placesOf, type Shape } from './verify-schema.ts'

export function launderingFindings(action: string, contract: Contract, actions: Readonly<Record<string, Contract>>): Finding[] {
  const findings: Finding[] = []
  for (const [fact, { from, events, schema }] of Object.entries(contract.facts)) {
    if (from !== 'events') continue
    for (const [place, name] of claimsIn({ type: 'object', properties: { [fact]: schema }, required: [fact] })) {
      for (const [source, asserting] of Object.entries(actions)) {
        if (!couldAssert(asserting, contract, events)) continue
        for (const [parameter, called] of claimsIn(asserting.paramsSchema)) {
          if (called !== name || isAsserted(asserting, parameter)) continue
          // Looking at names was cheap; only now are the rules run.
          const { check, forbid, approval } = watched(contract)
          const read = [check, forbid, approval].some((reads) => reads.has(`facts.${place}`))
          if (read && watched(asserting).emits.has(`params.${parameter}`)) {
            findings.push(finding('laundered_claim', { action }, `its rule reads ${place} of the entity's past, which ${source} writes there from parameter ${parameter}, as the agent says`))
          }
        }
      }
    }
  }
  return findings
}

/** On the same entity, emitting an event that the fact comes from, without a person who always reads it. */
function couldAssert(asserting: Contract, { entity }: Contract, events: readonly string[]): boolean {
  return asserting.entity.name === entity.name && asserting.approval?.always == null && asserting.emits.some((event) => events.includes(event))
}

/** The places of truths and of words of an enumeration, each with its own name. */
function claimsIn(schema: unknown): readonly (readonly [place: string, name: string])[] {
  return placesOf(schema).filter(({ shape }) => isClaim(shape)).map(({ path }) => [path, path.split('.').at(-1) ?? path] as const)
}

function isClaim(shape: Shape): boolean {
  return shape.kind === 'boolean' || (shape.kind === 'fixed' && shape.values.length > 1)
}
