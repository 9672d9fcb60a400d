import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { aCommand } from './a-command.ts'

let folder: string
/** In the repository, so that what is written there can import the package. */
beforeAll(async () => { folder = await mkdtemp('.verify-') })
afterAll(() => rm(folder, { recursive: true, force: true }))

async function verify(...args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  const command = aCommand(['verify', ...args])
  const code = await command.exited
  return { code, out: command.lines.join('\n'), err: command.stderr().trim() }
}

async function written(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

/** A module with one domain; `action` and `roles` are pasted in. */
const aModule = (action: string, roles = "agent: ['tickets.work'], lead: ['tickets.review'], desk: ['tickets.report']"): string => `
import { defineDomain, entity } from 'kiff-temporal'
import { executors } from 'kiff-temporal/worker'
import { z } from 'zod'
const nothing = z.strictObject({})
const Ticket = entity('Ticket', { states: ['OPEN'], events: { OPENED: { from: null, to: 'OPEN', payload: nothing, reportedBy: 'tickets.report' } } })
const sound = { description: 'x', from: ['OPEN'], params: nothing, output: nothing, permission: 'tickets.work', effect: 'external', describe: () => 'x' } as const
export const tickets = defineDomain({
  name: 'tickets',
  actions: { SEND: Ticket.action({ ...sound, approval: { when: () => false, reviewers: 'tickets.review', expiresIn: '1 day' }, ${action} }) },
  roles: { ${roles} },
})
`
const executorsNote = 'executors were not looked at; name the module that binds them with --executors'

describe('verify', () => {
  test('without an argument: the domains of the application, each in a line', async () => {
    const { code, out, err } = await verify()
    expect({ code, err }).toEqual({ code: 0, err: executorsNote })
    expect(out).toMatch(/^OK {2}refunds — closed and consistent \(2 actions, 1 entity\)$/m)
  })

  test('a domain of the application by its name, a folder, a module', async () => {
    for (const each of ['refunds', 'domains/refunds', 'domains/refunds/domain.ts']) expect((await verify(each)).out).toBe('OK  refunds — closed and consistent (2 actions, 1 entity)')
  })

  test('a domain that its module is refused for: every finding in a line, exit 5', async () => {
    const path = await written('refused.ts', aModule("params: z.strictObject({ cents: z.int() }), risk: 'high', from: ['OPEN', 'LOST' as 'OPEN']", "agent: ['tickets.work'], desk: ['tickets.report'], guest: []"))
    expect(await verify(path)).toEqual({
      code: 5, err: executorsNote,
      out: [
        'tickets',
        '  ERROR   undeclared_state [SEND]: from undeclared state LOST; declare the state, or correct its name',
        '  ERROR   approval_unreachable [SEND]: no role holds tickets.review, so nobody can approve it; give it to a role',
        '  ERROR   unbounded_amount [SEND]: parameter cents has no maximum; give it a maximum',
        '  WARNING role_without_permission: role guest holds no permission; give it one, or remove it',
        '3 errors, 1 warning',
      ].join('\n'),
    })
    const json = await verify(path, '--json')
    expect(json).toMatchObject({ code: 5, err: '' })
    const { domains } = JSON.parse(json.out) as { domains: { findings: unknown[] }[] }
    expect(domains).toMatchObject([{ domain: 'tickets', ok: false, executors: 'not_looked_at' }])
    expect(domains[0]?.findings).toHaveLength(4)
    expect(domains[0]?.findings[0]).toEqual({
      severity: 'error', code: 'undeclared_state', action: 'SEND', entity: 'Ticket', state: 'LOST', message: 'from undeclared state LOST; declare the state, or correct its name',
    })
  })

  test('warnings pass, unless --strict', async () => {
    const path = await written('warned.ts', aModule("risk: 'low'", "agent: ['tickets.work'], lead: ['tickets.review', 'tickets.work'], desk: ['tickets.report']"))
    const lenient = await verify(path)
    expect(lenient.code).toBe(0)
    expect(lenient.out).toMatch(/^OK {2}tickets — closed and consistent \(1 action, 1 entity\)\n {2}WARNING reviewer_is_requester \[SEND\]: .*\n0 errors, 1 warning$/)
    const strict = await verify(path, '--strict')
    expect(strict.code).toBe(5)
    expect(strict.out).toMatch(/^tickets\n/)
  })

  test('with --executors: what is missing, and what is to be written', async () => {
    const path = await written('bound.ts', `${aModule("risk: 'low'")}
export const bound = executors(tickets, { SEND: async () => { /* TODO */ return {} } })`)
    const { code, out, err } = await verify(path, '--executors', path)
    expect({ code, err }).toEqual({ code: 5, err: '' })
    expect(out).toContain('ERROR   executor_stub [SEND]: ')
    const other = await verify('refunds', '--executors', path)
    expect(other).toMatchObject({ code: 2, err: 'no executors of refunds in the module named with --executors' })
  })
})

describe('what cannot be verified ends with 2', () => {
  test('a module without a domain', async () => {
    const { code, out } = await verify('src/core/digest.ts')
    expect(code).toBe(2)
    expect(out).toContain('  ERROR   not_a_domain: src/core/digest.ts exports no domain; export what `defineDomain` returns')
    const json = await verify('src/core/digest.ts', '--json')
    expect(JSON.parse(json.out)).toMatchObject({ domains: [{ domain: null, ok: false, findings: [{ code: 'not_a_domain' }] }] })
  })

  test.each([
    ['a name that the application does not have', ['tickets'], /^the application has no domain tickets; it has refunds/],
    ['a path to nothing', ['./nothing.ts'], /^\.\/nothing\.ts does not exist$/],
    ['a folder without a domain', ['src'], /^src has no domain\.ts; name the module$/],
    ['executors that are none', ['refunds', '--executors', 'src/core/digest.ts'], /^src\/core\/digest\.ts exports nothing that `executors\(…\)` returned$/],
  ])('%s', async (_, args, message) => {
    const { code, out, err } = await verify(...args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(message)
  })

  test('a module that throws for another reason', async () => {
    const path = await written('broken.ts', "throw new Error('no settings')")
    expect(await verify(path)).toMatchObject({ code: 2, err: `${path} could not be loaded: no settings` })
  })
})
