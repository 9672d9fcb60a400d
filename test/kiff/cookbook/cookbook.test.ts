/** What holds of every recipe, whatever it is about. */
import { describe, expect, test } from 'vitest'
import type { Contract } from '../../../src/core/contract.ts'
import { verifyDomain } from '../../../src/core/verify.ts'
import { placesOf } from '../../../src/core/verify-schema.ts'
import { cookbook } from './index.ts'

const actions = cookbook.flatMap((domain) => Object.entries<Contract>(domain.actions).map(([action, contract]) => ({ name: `${domain.name}: ${action}`, contract, roles: domain.roles })))
/** The places where a proposal says that something is so, or is not. */
const truths = ({ paramsSchema }: Contract) =>
  placesOf(paramsSchema).filter(({ shape }) => shape.kind === 'boolean' || (shape.kind === 'fixed' && shape.values.some((value) => typeof value === 'boolean'))).map(({ path }) => path)

describe('the cookbook', () => {
  test.each(cookbook.map((domain) => [domain.name, domain] as const))('%s: nothing can be said against it', (_, domain) => {
    expect(verifyDomain(domain)).toEqual([])
  })

  test('has the eight recipes that are not in domains/', () => {
    expect(new Set(cookbook.map(({ name }) => name)).size).toBe(8)
  })

  // An event carries a claim on as well as a parameter does: what a rule rests on could be laundered through the recorded assessment.
  test.each(actions)('$name takes no truth from who proposes it', ({ contract }) => {
    expect(truths(contract)).toEqual([])
  })

  test.each(actions)('$name: no role both proposes it and reviews it', ({ contract, roles }) => {
    const held = Object.values(roles)
    expect(held.filter((permissions) => permissions.includes(contract.permission) && contract.approval !== null && permissions.includes(contract.approval.reviewers))).toEqual([])
  })
})
