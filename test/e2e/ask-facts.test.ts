import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair } from 'jose'
import { defineDomain, entity, factFromLoader } from 'kiff-temporal'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { createMandateSigner, type MandateSigner } from '../../src/approvals/mandates.ts'
import { executors } from '../../src/gate/index.ts'
import { aStack, type Stack } from '../a-stack.ts'
import { approvalsOf } from '../an-entity.ts'
import { asks, ended, hasSaid } from './an-asker.ts'

const Door = entity('Door')

const doors = defineDomain({
  name: 'doors',
  actions: {
    OPEN_DOOR: Door.action({
      description: 'Open a door',
      from: 'any',
      params: z.strictObject({}),
      output: z.strictObject({}),
      permission: 'doors.open',
      risk: 'low',
      facts: { guarded: factFromLoader(z.boolean()) },
      approval: { when: ({ facts }) => facts.guarded && 'the door is guarded', reviewers: 'doors.review', expiresIn: '1 day' },
      effect: 'external',
      describe: ({ entityId }) => `Open ${entityId}`,
    }),
  },
  roles: { porter: ['doors.open'], guard: ['doors.review'] },
})

/** What is found, one after the other; the last one for good. `null`: nobody can tell. */
vi.setConfig({ testTimeout: 180_000 }) // each command is a process that bundles its workflow

let guarded: (boolean | null)[] = [false]
const opened: { readonly door: string; readonly onBehalfOf: string | null }[] = []
let stack: Stack
let issue: MandateSigner

beforeAll(async () => {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  stack = await aStack({
    bound: executors(doors, {
      async OPEN_DOOR({ entityId, onBehalfOf }) {
        opened.push({ door: entityId, onBehalfOf })
        return Promise.resolve({})
      },
    }, {
      guarded: async () => {
        const found = (guarded.length > 1 ? guarded.shift() : guarded[0]) ?? null
        if (found === null) throw new Error('nobody is at the gate house')
        return Promise.resolve(found)
      },
    }),
    actors: ['porter-1'],
    members: { 'porter-1': 'porter', 'porter-2': 'porter', maria: 'guard' },
    mandateIssuers: [{ issuer: 'https://desk.test', keys: { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1' }] } }],
  })
  issue = await createMandateSigner('https://desk.test', { ...(await exportJWK(privateKey)), kid: 'k1' })
})
afterAll(() => stack.close())

const open = (command: 'evaluate' | 'propose', door: string, ...more: readonly string[]) => asks(stack.queues.gate, 'porter-1', [command, 'doors', 'OPEN_DOOR', door, ...more])
const doorsOpened = (door: string): number => opened.filter((each) => each.door === door).length

test('a rule that begins to apply after --no-wait has looked asks somebody for no longer than it takes to withdraw', async () => {
  guarded = [false, true]
  const { code, out, err } = await ended(open('propose', 'door-1', '--no-wait'))
  expect({ code, out }).toEqual({ code: 4, out: '' })
  expect(err).toMatch(/waiting for a person: Open door-1[\s\S]*\ncancelled: the request is withdrawn\n$/)
  expect((await approvalsOf(stack, 'door-1')).map(({ status }) => status)).toEqual(['withdrawn'])
  expect(doorsOpened('door-1')).toBe(0)
})

test('a gate that cannot answer is told of, and answers when it can', async () => {
  guarded = [null]
  const command = open('propose', 'door-2')
  await hasSaid(command, /the gate cannot answer yet: .*; it is asked again until it can/)
  guarded = [false]
  expect(await ended(command)).toMatchObject({ code: 0, out: expect.stringMatching(/^allowed: Open door-2\n/) })
  expect(doorsOpened('door-2')).toBe(1)
})

test('a question to a gate that cannot answer is given up at once', async () => {
  guarded = [null]
  const command = open('evaluate', 'door-3')
  await hasSaid(command, /the gate cannot answer yet/)
  command.kill('SIGINT')
  expect(await ended(command)).toMatchObject({ code: 130, out: '' })
})

test('a proposal whose answer is still sought is left at the second Ctrl-C, and says what that leaves', async () => {
  guarded = [null]
  const command = open('propose', 'door-4')
  const [, workflowId = ''] = await hasSaid(command, /in workflow (\S+)/)
  await hasSaid(command, /the gate cannot answer yet/)
  command.kill('SIGINT')
  await hasSaid(command, /a second Ctrl-C leaves it to the gate/)
  command.kill('SIGINT')
  expect((await ended(command)).code).toBe(130)
  expect((await stack.client.workflow.getHandle(workflowId).describe()).status.name).toBe('TERMINATED')
  guarded = [false]
  expect(doorsOpened('door-4')).toBe(0)
})

test('a mandate proves an actor whom the gate does not serve, for the workflow that it names', async () => {
  guarded = [false]
  const workflowId = `mandated-${randomUUID()}`
  const mandate = await issue({ actor: 'porter-2', namespace: 'default', workflowId, expiresAt: new Date(Date.now() + 3_600_000), onBehalfOf: 'tenant-7' })
  const as = ['--actor', 'porter-2'] as const
  expect(await ended(open('propose', 'door-5', ...as))).toMatchObject({ code: 3, out: expect.stringMatching(/^blocked \(actor_unproven\): /) })
  expect(await ended(open('propose', 'door-5', ...as, '--mandate', mandate))).toMatchObject({ code: 3, out: expect.stringMatching(/^blocked \(actor_unproven\): the mandate is for another workflow\n/) })
  expect(await ended(open('propose', 'door-5', ...as, '--mandate', mandate, '--workflow-id', workflowId))).toMatchObject({ code: 0 })
  expect(opened.filter(({ door }) => door === 'door-5')).toEqual([{ door: 'door-5', onBehalfOf: 'tenant-7' }])
})
