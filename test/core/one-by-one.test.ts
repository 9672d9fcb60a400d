import { ServiceError } from '@temporalio/client'
import { describe, expect, test } from 'vitest'
import { oneByOne } from '../../src/temporal/one-by-one.ts'
import { unavailable } from '../unavailable.ts'

/** Does 1, 2 and 3; the second fails so. */
async function withFault(fault: Error): Promise<{ readonly done: readonly number[]; readonly told: readonly unknown[]; readonly thrown: unknown }> {
  const done: number[] = []
  const told: unknown[] = []
  const thrown: unknown = await oneByOne([1, 2, 3], async (one) => {
    if (one === 2) throw fault
    done.push(one)
  }, (each) => told.push(each)).catch((error: unknown) => error)
  return { done, told, thrown }
}

describe('of many', () => {
  test.each<[string, Error]>([
    ['any fault', new Error('invalid run id')],
    ['an answer of the server', new ServiceError('Failed to describe workflow', { cause: Object.assign(new Error('3 INVALID_ARGUMENT'), { code: 3, details: 'Invalid RunId', metadata: {} }) })],
  ])('one that fails is told, and holds up no other: %s', async (_, fault) => {
    expect(await withFault(fault)).toEqual({ done: [1, 3], told: [fault], thrown: undefined })
  })

  test('one that fails need not be told to anybody', async () => {
    await expect(oneByOne([1], async () => { throw new Error('x') })).resolves.toBeUndefined()
  })

  test('none is tried any more when the server is away', async () => {
    const fault = unavailable()
    expect(await withFault(fault)).toEqual({ done: [1], told: [], thrown: fault })
  })
})
