import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { startChild, type Child, type ChildOptions } from '../../src/dev/child.ts'
import { isAlive } from './is-alive.ts'

const Seen = z.object({ env: z.record(z.string(), z.string()), execArgv: z.array(z.string()), args: z.array(z.string()) })
const children: Child[] = []

afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.stop(0)))
})

async function start(args: string[] = [], options: Partial<ChildOptions> = {}) {
  const lines: string[] = []
  const child = await startChild({
    name: 'the child', entry: 'test/dev/print-env.ts', args, env: { GIVEN: 'yes' }, readyLine: /^ready now$/,
    onLine: (line, stream) => { lines.push(`${stream} ${line}`) },
    ...options,
  })
  children.push(child)
  return { child, lines }
}

test('a child sees what it was given, and of our environment nothing that could be a secret', async () => {
  process.env['SECRET_OF_THE_PARENT'] = 'secret'
  process.env['PGPASSWORD'] = 'secret'
  process.env['NODE_OPTIONS'] ??= ''
  const { lines } = await start(['an-argument'])
  const seen = Seen.parse(JSON.parse(lines[0]?.replace('stdout ', '') ?? ''))
  expect(seen.env['GIVEN']).toBe('yes')
  expect(Object.keys(seen.env).filter((name) => !['GIVEN', 'PATH', 'HOME', 'LANG', 'TZ', 'NODE_ENV'].includes(name))).toEqual([])
  expect(seen.execArgv).toContain('--conditions=kiff-source')
  expect(seen.args).toEqual(['an-argument'])
})

test('a child that ends before it is ready is told with its last lines', async () => {
  const failing = start(['fail'])
  await expect(failing).rejects.toThrow(/^the child ended with 3 before it was ready; .*the reason it failed/s)
})

test('a child that is not ready in time is told, and killed', async () => {
  await expect(start([], { readyLine: 'never said', readyWithinMs: 700 })).rejects.toThrow(/^the child was not ready within 0.7 s; .*ready now/s)
})

test('stop lets a child end in order, and kills one that does not hear', async () => {
  const [hearing, deaf] = await Promise.all([start(), start(['deaf'])])
  await hearing.child.stop(5_000)
  expect(await hearing.child.exited).toBe(0)
  const began = Date.now()
  await deaf.child.stop(300)
  expect(await deaf.child.exited).toBeNull()
  expect(Date.now() - began).toBeGreaterThanOrEqual(290)
})

test('a killed child is gone at once, and killing or stopping it again does no harm', async () => {
  const { child } = await start(['deaf'])
  expect(child.kill('SIGKILL')).toBe(true)
  expect(await child.exited).toBeNull()
  expect(isAlive(child.pid)).toBe(false)
  expect(child.kill('SIGKILL')).toBe(false)
  await child.stop(5_000)
})

test('a child has a process group of its own, which Ctrl-C in the terminal does not reach', async () => {
  const { child } = await start()
  expect(() => process.kill(-child.pid, 0)).not.toThrow()
})
