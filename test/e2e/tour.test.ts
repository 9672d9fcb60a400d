import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { aCommand } from './a-command.ts'

const state = mkdtempSync(join(tmpdir(), 'kiff-tour-state-'))
afterAll(() => { rmSync(state, { recursive: true, force: true }) })

test('the tour is as told: every step, and one effect an order', async () => {
  const tour = aCommand(['tour', '--fast', '--json'], { KIFF_STATE: state })
  const code = await tour.exited
  expect(tour.stderr()).not.toMatch(/ at .*\.ts:/)
  const lines: unknown[] = tour.lines.map((line) => JSON.parse(line))
  expect(lines).toEqual([
    { step: 'allowed', outcome: 'allowed', entity: 'order-1', ok: true },
    { step: 'held', outcome: 'approval_required', reason: 'approval_required', entity: 'order-2', ok: true },
    { step: 'self_approval', outcome: 'rejected', reason: 'approval_review_rejected', entity: 'order-2', ok: true },
    { step: 'granted', outcome: 'granted', entity: 'order-2', ok: true },
    { step: 'executed', outcome: 'allowed', entity: 'order-2', ok: true },
    { step: 'repeated', outcome: 'blocked', reason: 'state_not_allowed', entity: 'order-2', ok: true },
    { step: 'denied', outcome: 'blocked', reason: 'approval_denied', entity: 'order-3', ok: true },
    { step: 'killed', outcome: 'allowed', entity: 'order-4', ok: true },
    { step: 'rebuilt', outcome: 'verified', ok: true },
    { step: 'replayed', outcome: 'verified', entity: 'order-2', ok: true },
    { step: 'tampered', outcome: 'found', entity: 'order-1', ok: true },
    { summary: true, ok: true, effects: { 'order-1': 1, 'order-2': 1, 'order-3': 0, 'order-4': 1 } },
  ])
  expect(code).toBe(0)
}, 180_000)
