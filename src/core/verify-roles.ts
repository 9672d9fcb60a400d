/** Verifying roles: who holds what, and whether anything needs it. */
import type { EntityType } from './entity.ts'
import { finding, type Finding } from './findings.ts'
import type { Permission, Roles } from './permission.ts'
import type { DomainSpec } from './verify.ts'

/** The roles that hold a permission. */
export function rolesWith(permission: Permission, roles: Roles): readonly string[] {
  return Object.entries(roles).filter(([, permissions]) => permissions.includes(permission)).map(([role]) => role)
}

/** Roles that hold nothing, and permissions that neither an action, nor its reviewers and reconcilers, nor an event's reporters need. */
export function roleFindings({ actions, roles }: DomainSpec, entities: readonly EntityType[]): Finding[] {
  const needed = new Set<string | undefined>([
    ...Object.values(actions).flatMap(({ permission, approval, reconciledBy }) => [permission, approval?.reviewers, reconciledBy]),
    ...entities.flatMap(({ events }) => Object.values(events).map(({ reportedBy }) => reportedBy)),
  ])
  const held = [...new Set(Object.values(roles).flat())]
  return [
    ...Object.entries(roles).filter(([, permissions]) => permissions.length === 0).map(([role]) => finding('role_without_permission', {}, `role ${role} holds no permission`)),
    ...held.filter((permission) => !needed.has(permission)).map((permission) => finding('permission_unused', {}, `nothing needs ${permission}, which ${rolesWith(permission, roles).join(', ')} holds`)),
  ]
}
