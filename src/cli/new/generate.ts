/** The three files of a new domain, and who has duties in it: to start from, or from a descriptor. */
import type { Descriptor } from './descriptor.ts'
import { domainFile } from './domain-file.ts'
import { executorsFile } from './executors-file.ts'
import { constantOf, upperCase } from './names.ts'
import type { Duty } from './next-steps.ts'
import { planOf } from './plan.ts'
import type { GeneratedFile } from './planned.ts'
import { starterDomain } from './starter-domain.ts'
import { starterTest } from './starter-test.ts'
import { testFile } from './test-file.ts'

export interface Generated {
  readonly domain: string
  readonly entity: string
  readonly files: readonly GeneratedFile[]
  readonly duties: readonly Duty[]
}

/** @param domain a domain's name @param entity an entity's, of at most 30 characters: actions are named after it */
export function startingFrom(domain: string, entity: string): Generated {
  const starter = { domain, entity, constant: constantOf(domain) }
  return {
    domain, entity,
    files: filesOf(starterDomain(starter), executorsFile(starter.constant, [`SETTLE_${upperCase(entity)}`]), starterTest(starter)),
    duties: [{ actor: 'agent-1', role: 'agent', type: 'agent' }, { actor: 'maria', role: 'reviewer', type: 'human' }, { actor: 'source', role: 'reporter', type: 'service' }],
  }
}

/** @param descriptor one that `parseDescriptor` has found nothing against */
export function fromDescriptor(descriptor: Descriptor): Generated {
  const plan = planOf(descriptor)
  const { domain, entity, constant, actions, roles, reviewers, reporters } = plan
  const holding = (permissions: readonly string[]): readonly string[] => roles.filter((role) => role.permissions.some((permission) => permissions.includes(permission))).map(({ name }) => name)
  return {
    domain, entity,
    files: filesOf(domainFile(plan), executorsFile(constant, actions.map(({ name }) => name)), testFile(plan)),
    duties: [
      ...holding(actions.map(({ permission }) => permission)).map((role): Duty => ({ actor: `${role}-1`, role, type: 'agent' })),
      ...holding([reviewers]).map((role): Duty => ({ actor: 'maria', role, type: 'human' })),
      ...holding([reporters]).map((role): Duty => ({ actor: 'source', role, type: 'service' })),
    ],
  }
}

const filesOf = (domain: string, executors: string, test: string): readonly GeneratedFile[] => [
  { name: 'domain.ts', text: domain },
  { name: 'executors.ts', text: executors },
  { name: 'domain.test.ts', text: test },
]
