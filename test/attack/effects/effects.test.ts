/** Never more than one effect per proposal: every way in which the harness tries to break it, on real servers and real processes. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { faults } from './faults/index.ts'
import { drawFrom } from './random.ts'
import { runFault, type Fault, type FaultReport } from './run.ts'
import { tableOf } from './table.ts'
import { breakGround, type Ground } from './world.ts'

const seed = Number(process.env['KIFF_EFFECTS_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const reports: FaultReport[] = []
let ground: Ground

beforeAll(async () => {
  ground = await breakGround({ postgresAdminUrl: inject('postgresAdminUrl'), temporalAddress: inject('temporalAddress') })
})
afterAll(async () => {
  await ground.close()
  process.stderr.write(`${tableOf(reports)}\nseed ${seed}\n`)
})

describe.concurrent('at most one effect, with its record, and nobody waits for nobody', () => {
  test.each(faults.map(({ fault, trials }) => ({ says: fault.says, fault, trials })))('$says', async ({ fault, trials }) => {
    const report = await runFault(ground, drawFrom(seed), fault, { seed, trials, onProgress: () => {} })
    reports.push(report)
    expect(report.violations).toEqual([])
    expect(report.hit).toBeGreaterThan(0)
  }, 600_000)
})

test('a run without a single trial is no success', async () => {
  const idle: Fault = { name: 'idle', says: 'nothing happens', plan: () => [] }
  expect(await runFault(ground, drawFrom(7), idle, { seed: 7, trials: 1, onProgress: () => {} })).toMatchObject({ trials: 0, violations: ['nothing was tried [seed 7]'] })
})

test('that was a thousand trials, and every fault among them', () => {
  expect(reports.map(({ fault }) => fault).sort()).toEqual(faults.map(({ fault }) => fault.name).sort())
  expect(reports.reduce((sum, { trials }) => sum + trials, 0)).toBeGreaterThanOrEqual(1_000)
})
