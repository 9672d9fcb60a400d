import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { domainsOf } from '../../src/cli/domains.ts'

const folder = mkdtempSync(join(tmpdir(), 'kiff-domains-of-'))
const before = process.cwd()
beforeAll(() => {
  mkdirSync(join(folder, 'activities'))
  process.chdir(folder)
})
afterAll(() => {
  process.chdir(before)
  rmSync(folder, { recursive: true, force: true })
})

test('where there is no application, there are no rules to apply', async () => {
  expect(await domainsOf(undefined)).toEqual([])
})

test('an application that nobody named, and that cannot be loaded, is told of; the check goes on', async () => {
  writeFileSync(join(folder, 'activities/app.ts'), "throw new Error('it is broken')")
  const told = vi.spyOn(console, 'error').mockImplementation(() => {})
  expect(await domainsOf(undefined)).toEqual([])
  expect(told.mock.calls).toEqual([['./activities/app.ts cannot be loaded: it is broken; checking without its rules (--app names others)']])
  told.mockRestore()
})

test('a module that is named has to hold domains', async () => {
  await expect(domainsOf('./activities/app.ts')).rejects.toThrow('./activities/app.ts cannot be loaded: it is broken')
  expect((await domainsOf(join(before, 'domains/refunds/domain.ts'))).map(({ name }) => name)).toEqual(['refunds'])
  expect((await domainsOf(join(before, 'activities/app.ts'))).map(({ name }) => name)).toContain('refunds')
})
