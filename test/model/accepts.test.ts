import { describe, expect, test } from 'vitest'
import { accepts } from './accepts.ts'
import { walk } from './inclusion.ts'
import { asTheCodeHasIt } from './rules.ts'
import { sizes } from './sizes.ts'
import type { Size } from './system.ts'
import { traceOf } from './trace.ts'

const judge = (rows: string, effects: readonly string[], peopleAreRight = false) => accepts({ rows: rows === '' ? [] : rows.split(' '), effects }, { peopleAreRight })

describe('accepted', () => {
  test.each<[string, ...string[]]>([
    [''],
    ['event event'],
    ['event opened executed', 'k'],
    ['executed repeated'],
    ['opened', 'k'],
    ['opened resumed resumed executed', 'k'],
    ['opened failed opened executed repeated', 'k-2'],
    ['opened failed opened failed opened failed refused'],
    ['opened completion_rejected reconciled reconciliation_rejected reconciled executed', 'k'],
    ['opened in_doubt reconciled executed', 'k'],
    ['opened in_doubt reconciled executed'],
    ['opened in_doubt executed', 'k'],
    ['opened in_doubt reconciled executed reconciliation_rejected', 'k'],
    ['opened in_doubt reconciled failed contradicted reconciled executed', 'k'],
    ['opened in_doubt reconciled failed event contradicted refused', 'k'],
    ['opened resumed failed contradicted reconciled executed', 'k'],
    ['opened resumed failed opened failed contradicted refused', 'k'],
    ['opened in_doubt reconciled failed opened executed contradicted', 'k', 'k-2'],
    ['approval_requested reviewed opened executed repeated', 'k'],
    ['approval_requested repeated signal_rejected review_refused reviewed reviewed executed'],
    ['approval_requested event approval_requested event approval_requested event refused'],
    ['approval_requested reviewed approval_denied refused'],
    ['approval_requested reviewed approval_revoked refused'],
    ['approval_requested reviewed approval_revoked approval_withdrawn'],
    ['approval_requested approval_expired refused'],
    ['approval_requested approval_withdrawn approval_requested reviewed opened executed', 'k'],
    ['approval_requested reviewed opened failed approval_requested reviewed opened executed', 'k-2'],
  ])('%s, with %j', (rows, ...effects) => {
    expect(judge(rows, effects)).toEqual({ ok: true })
  })
})

describe('not accepted', () => {
  test.each<[string, number, ...string[]]>([
    ['', 0, 'k'],
    ['surprised', 0],
    ['opened opened', 1],
    ['opened event', 1],
    ['opened executed executed', 2, 'k'],
    ['opened executed opened', 2, 'k'],
    ['opened executed', 2],
    ['executed', 1, 'k'],
    ['opened failed', 2, 'k'],
    ['opened failed opened executed', 4, 'k', 'k-2'],
    ['opened resumed', 2, 'another'.concat('-2')],
    ['opened executed', 2, 'k', 'l'],
    ['opened in_doubt resumed', 2],
    ['opened in_doubt failed', 2],
    ['opened in_doubt event', 2],
    ['opened in_doubt opened', 2],
    ['opened reconciled', 1],
    ['opened in_doubt reconciled reconciled', 3],
    ['opened contradicted', 1],
    ['opened resumed failed contradicted opened', 4, 'k'],
    ['opened in_doubt reconciled failed event contradicted opened', 6, 'k'],
    ['approval_requested opened', 1],
    ['approval_requested approval_requested approval_requested approval_requested', 3],
    ['approval_requested reviewed approval_revoked opened', 3],
    ['approval_requested reviewed approval_denied approval_requested', 3],
    ['approval_requested reviewed opened failed opened', 4],
    ['approval_requested approval_expired reviewed', 2],
    ['approval_revoked', 0],
    ['reviewed', 0],
    ['repeated', 0],
  ])('%s, from row %i on, with %j', (rows, after, ...effects) => {
    expect(judge(rows, effects)).toMatchObject({ ok: false, after })
  })

  test('it says what could not follow what', () => {
    expect(judge('event opened opened', [])).toEqual({ ok: false, after: 2, why: 'no opened can follow event, opened' })
    expect(judge('opened executed', ['k', 'k-2'])).toEqual({ ok: false, after: 2, why: 'these rows do not go with effects of attempt 1 and 2' })
  })

  test('two effects, where people are taken to be right', () => {
    const rows = 'opened in_doubt reconciled failed opened executed'
    expect(judge(rows, ['k', 'k-2'])).toEqual({ ok: true })
    expect(judge(rows, ['k', 'k-2'], true)).toMatchObject({ ok: false, after: 6 })
    expect(judge(rows, ['k-2'], true)).toEqual({ ok: true })
  })
})

describe('every ledger that the model can write is accepted, with the effects there are by then:', () => {
  // The largest is left out: it has no row, and no order of rows, that the others have not.
  const one = Object.entries<Size>(sizes).filter((sized): sized is [string, Size & { readonly proposals: 1 }] => sized[1].proposals === 1 && sized[1] !== sizes['the same, tried anew after a failure'])
  test.each(one)('%s', { timeout: 60_000 }, (_, size) => {
    const { pairs, refused } = walk(size, asTheCodeHasIt)
    expect(refused).toBeNull()
    expect(pairs).toBeGreaterThan(2_000)
  })
})

const row = (body: object) => ({ body: JSON.stringify(body) })

test('a trace has the rows of its key, those of its approvals, and the events of its entity; nothing of other proposals', () => {
  expect(traceOf([
    row({ kind: 'event', action: null }),
    row({ kind: 'approval_requested', execution_key: 'k', approval_id: 'a' }),
    row({ kind: 'approval_requested', execution_key: 'l', approval_id: 'b' }),
    row({ kind: 'reviewed', approval_id: 'b' }),
    row({ kind: 'reviewed', approval_id: 'a' }),
    row({ kind: 'executed', execution_key: 'l' }),
    row({ kind: 'event_refused', action: null }),
    row({ kind: 'opened', execution_key: 'k', approval_id: 'a' }),
  ], 'k', ['k', 'k'])).toEqual({ rows: ['event', 'approval_requested', 'reviewed', 'opened'], effects: ['k'] })
})
