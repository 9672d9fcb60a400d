import * as fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Headers } from '@temporalio/workflow'
import { executionKey, proposalDigest } from '../../src/core/keys.ts'
import type { ChainClaim, Step } from '../../src/core/proposal.ts'
import type * as chainModule from '../../src/workflow/chain.ts'

/** What `workflowInfo()` reads, outside the sandbox. */
interface Info {
  readonly workflowId: string
  readonly firstExecutionRunId: string
  readonly continuedFromExecutionRunId?: string
  readonly attempt: number
}

function enter(info: Info): void {
  Reflect.set(globalThis, '__TEMPORAL_ACTIVATOR__', { info })
}
afterEach(() => Reflect.deleteProperty(globalThis, '__TEMPORAL_ACTIVATOR__'))

type Chain = typeof chainModule

/** A run: the module's state is its own, as in the sandbox. */
async function aRun(info: Info, headers: Headers = {}): Promise<Chain> {
  vi.resetModules()
  enter(info)
  const chain = await import('../../src/workflow/chain.ts')
  chain.enterChain(headers)
  return chain
}

interface Subject {
  readonly action: string
  readonly entityId: string
  readonly params: unknown
}

/** Few enough that equal ones are often met. */
const subject: fc.Arbitrary<Subject> = fc.record({ action: fc.constantFrom('PAY', 'SEND'), entityId: fc.constantFrom('a', 'b'), params: fc.constantFrom<unknown>({}, { cents: 1 }, { cents: 2 }) })
const subjects = fc.array(subject, { minLength: 1, maxLength: 12 })

const info: Info = { workflowId: 'w', firstExecutionRunId: 'run-1', attempt: 1 }
const continued: Info = { ...info, continuedFromExecutionRunId: 'run-1' }

function keyOf(claim: ChainClaim, { action, entityId, params }: Subject, { workflowId, firstExecutionRunId }: Info = info): string {
  const step: Step = { namespace: 'default', workflowId, firstExecutionRunId, runId: 'any', activityId: 'any' }
  const digest = proposalDigest({ domain: 'd', entityType: 'T', entityId, action, params })
  return executionKey(step, { chain: claim, actor: 'bot' }, { domain: 'd', action, digest })
}

/** As `governed` asks. */
const openStep = (run: Chain, { action, entityId, params }: Subject) => run.openStep({ domain: 'd', action, entityId, params })

/** Proposes each, one after the other. @returns each one's key */
function proposeAll(run: Chain, all: readonly Subject[], of: Info = info): string[] {
  return all.map((each) => {
    const { step, close } = openStep(run, each)
    close()
    return keyOf(step, each, of)
  })
}

/** Each subject beside how many equal ones there were before: what a key stands for. */
function counted(all: readonly Subject[]): string[] {
  return all.map((each, index) => `${JSON.stringify(each)} #${all.slice(0, index).filter((before) => JSON.stringify(before) === JSON.stringify(each)).length}`)
}

const runs = { numRuns: 60 }

describe('within a run', () => {
  test('every proposal has a key of its own', async () => {
    await fc.assert(fc.asyncProperty(subjects, async (all) => {
      expect(new Set(proposeAll(await aRun(info), all)).size).toBe(all.length)
    }), runs)
  })

  test('an inserted, left out or reordered step shifts nobody else’s key: it is the n-th of its equals, wherever it stands', async () => {
    await fc.assert(fc.asyncProperty(subjects, subjects, fc.infiniteStream(fc.nat()), async (one, other, order) => {
      const before = new Map(counted(one).map((name, index) => [name, index]))
      const keys = proposeAll(await aRun(info), one)
      const mixed = [...one, ...other].map((each) => ({ each, at: order.next().value })).sort((a, b) => a.at - b.at).map(({ each }) => each)
      const again = proposeAll(await aRun(info), mixed)
      for (const [index, name] of counted(mixed).entries()) {
        const known = before.get(name)
        if (known !== undefined) expect(again[index]).toBe(keys[known])
        else expect(keys).not.toContain(again[index])
      }
    }), runs)
  })

  test('a reset does again what was there before, under the same keys', async () => {
    await fc.assert(fc.asyncProperty(subjects, fc.nat({ max: 12 }), subjects, async (all, kept, after) => {
      const keys = proposeAll(await aRun(info), all)
      const again = proposeAll(await aRun(info), [...all.slice(0, kept), ...after])
      expect(again.slice(0, Math.min(kept, all.length))).toEqual(keys.slice(0, kept))
    }), runs)
  })

  test('proposals under way at once have the keys that they have one after the other', async () => {
    await fc.assert(fc.asyncProperty(subjects, async (all) => {
      const run = await aRun(info)
      const open = all.map((each) => ({ each, ...openStep(run, each) }))
      expect(open.map(({ each, step }) => keyOf(step, each))).toEqual(proposeAll(await aRun(info), all))
    }), runs)
  })
})

/** @returns the next run, after the calls at `left` stay open */
async function continuedFrom(all: readonly Subject[], left: ReadonlySet<number>): Promise<{ readonly next: Chain; readonly keys: readonly string[] }> {
  const run = await aRun(info)
  const keys = all.map((each, index) => {
    const { step, close } = openStep(run, each)
    if (!left.has(index)) close()
    return keyOf(step, each)
  })
  const headers = run.handover({}, run.openCalls())
  return { next: await aRun(continued, headers), keys }
}

describe('continued as new', () => {
  test('an equal proposal is a new one, with a key that was never there', async () => {
    await fc.assert(fc.asyncProperty(subjects, subjects, async (before, after) => {
      const { next, keys } = await continuedFrom(before, new Set())
      const others = proposeAll(next, after)
      expect(new Set([...keys, ...others]).size).toBe(before.length + after.length)
    }), runs)
  })

  test('but one that was left open is taken up by its equal, once', async () => {
    await fc.assert(fc.asyncProperty(subjects.chain((all) => fc.tuple(fc.constant(all), fc.uniqueArray(fc.nat({ max: all.length - 1 })))), subjects, async ([before, left], after) => {
      const { next, keys } = await continuedFrom(before, new Set(left))
      const again = proposeAll(next, after)
      const open = left.toSorted((a, b) => a - b).map((index) => ({ name: JSON.stringify(before[index]), key: keys[index] }))
      for (const [index, each] of after.entries()) {
        const at = open.findIndex(({ name }) => name === JSON.stringify(each))
        const [taken] = at < 0 ? [] : open.splice(at, 1)
        if (taken === undefined) expect(keys).not.toContain(again[index])
        else expect(again[index]).toBe(taken.key)
      }
      expect(new Set(again).size).toBe(after.length)
    }), runs)
  })
})

/** Starts children, each in a run chain of its own, and has each propose. @returns by child, the keys */
async function start(all: readonly { readonly type: string; readonly args: unknown[] }[], each: Subject, chains: string): Promise<string[]> {
  const parent = await aRun(info)
  const headers = all.map(({ type, args }) => parent.placeChild({}, type, args))
  const keys: string[] = []
  for (const [index, header] of headers.entries()) {
    const its: Info = { workflowId: `child-${chains}-${index}`, firstExecutionRunId: `${chains}-${index}`, attempt: 1 }
    keys.push(...proposeAll(await aRun(its, header), [each], its))
  }
  return keys
}

describe('in children', () => {
  const child = fc.record({ type: fc.constantFrom('refund', 'notify'), args: fc.constantFrom<unknown[]>([], [1], [{ a: 1 }]) })
  const children = fc.array(child, { minLength: 1, maxLength: 6 })

  test('each has keys of its own, none of them its parent’s', async () => {
    await fc.assert(fc.asyncProperty(children, subject, async (all, each) => {
      const keys = await start(all, each, 'one')
      expect(new Set([...keys, ...proposeAll(await aRun(info), [each])]).size).toBe(all.length + 1)
    }), { numRuns: 30 })
  })

  test('started anew by a parent that was reset, in other run chains, they have the same keys', async () => {
    await fc.assert(fc.asyncProperty(children, subject, async (all, each) => {
      expect(await start(all, each, 'other')).toEqual(await start(all, each, 'one'))
    }), { numRuns: 30 })
  })
})

test('no two proposals in any two places have one key', () => {
  const parent = fc.record({ workflowId: fc.constantFrom('w', 'p'), firstExecutionRunId: fc.constantFrom('run-1', 'run-2'), generation: fc.nat({ max: 1 }), child: fc.constantFrom('a'.repeat(64), 'b'.repeat(64)), occurrence: fc.nat({ max: 1 }) })
  const place = fc.record({
    workflowId: fc.constantFrom('w', 'v', 'caller'), run: fc.constantFrom('run-1', 'run-2'), generation: fc.nat({ max: 1 }), occurrence: fc.nat({ max: 1 }), parents: fc.option(fc.array(parent, { minLength: 1, maxLength: 2 })),
    key: fc.option(fc.constantFrom('k', 'l', 'key')), callerKey: fc.option(fc.constantFrom('k', 'l')), actor: fc.constantFrom('bot', 'run-1'), subject,
  })
  type Place = typeof place extends fc.Arbitrary<infer Each> ? Each : never
  const key = ({ workflowId, run, generation, occurrence, parents, key: own, callerKey, actor, subject: its }: Place): string => {
    const digest = proposalDigest({ domain: 'd', entityType: 'T', ...its })
    const claim: ChainClaim = { firstExecutionRunId: run, generation, occurrence, ...(parents === null ? {} : { parents }) }
    return executionKey({ namespace: 'default', workflowId, firstExecutionRunId: run, runId: 'r', activityId: '1' }, { chain: claim, actor, ...(own === null ? {} : { key: own }), ...(callerKey === null ? {} : { callerKey }) }, { domain: 'd', action: its.action, digest })
  }
  /** What a key is for, in words: each rule of who shares one. */
  const stands = ({ workflowId, run, generation, occurrence, parents, key: own, callerKey, actor, subject: its }: Place): string => {
    if (callerKey !== null) return JSON.stringify(['caller', actor, its.action, callerKey])
    const [outermost] = parents ?? []
    const at = outermost === undefined ? [workflowId, run] : [outermost.workflowId, outermost.firstExecutionRunId, ...(parents ?? []).map((each) => [each.generation, each.child, each.occurrence])]
    return JSON.stringify(own === null ? ['step', at, generation, occurrence, its] : ['key', at, own])
  }
  fc.assert(fc.property(place, place, (one, other) => {
    expect(key(one) === key(other)).toBe(stands(one) === stands(other))
  }), { numRuns: 5_000 })
})
