import { describe, expect, test } from 'vitest'
import { canonical } from '../../src/core/canonical.ts'
import { claim, shownClaim, type Claim } from '../../src/core/claim.ts'

const pointer = { id: 'inv-7', kind: 'document', source: 'scanner-3', uri: 's3://invoices/7.pdf', summary: 'the invoice', created_at: '2026-01-02T03:04:05Z', sha256: 'a'.repeat(64) } as const

describe('evidence that an agent names', () => {
  test("is text, or KIFF's pointer to material, kept in KIFF's words", () => {
    const said: Claim = { why: 'it came late', evidence: ['ticket 2', pointer], confidence: 0.71 }
    expect(claim.safeParse(said).success).toBe(true)
    expect(shownClaim(said)).toEqual({ why: 'it came late', evidence: ['ticket 2', pointer], confidence: 0.71 })
  })

  test.each(['document', 'event', 'system_data', 'external_api', 'agent_analysis', 'human_review', 'log'])('of the kind %s is taken', (kind) => {
    expect(claim.safeParse({ why: '', evidence: [{ id: 'x', kind }] }).success).toBe(true)
  })

  test.each<[string, unknown]>([
    ['of an unknown kind', { id: 'x', kind: 'rumour' }],
    ['without an id', { kind: 'document' }],
    ['with a hash that is none', { ...pointer, sha256: 'abc' }],
    ['with a time that is none', { ...pointer, created_at: 'yesterday' }],
    ['with anything else', { ...pointer, trusted: true }],
    ['too long to be read', { ...pointer, summary: 'x'.repeat(1_001) }],
  ])('%s is refused', (_, item) => {
    expect(claim.safeParse({ why: '', evidence: [item] }).success).toBe(false)
  })

  test('nothing given is recorded as nothing', () => {
    expect(shownClaim({ why: '' })).toEqual({ why: '', evidence: [], confidence: null })
  })

  test('what cannot be kept is made so that it can, wherever it stands', () => {
    const hostile = 'a\u0000\ud800'
    expect(() => canonical(shownClaim({ why: hostile, evidence: [hostile, { id: hostile, kind: 'log', summary: hostile }] }))).not.toThrow()
  })
})
