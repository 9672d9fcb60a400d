/** An agent's own words beside a proposal, and what it points at. Claims: shown as such, recorded, never a reason to allow (I12). */
import { z } from 'zod'
import { printable } from './canonical.ts'

/** KIFF's kinds of evidence. */
const evidenceKinds = ['document', 'event', 'system_data', 'external_api', 'agent_analysis', 'human_review', 'log'] as const
export type EvidenceKind = (typeof evidenceKinds)[number]

const text = z.string().max(1_000)

const evidenceRef = z.strictObject({
  id: z.string().min(1).max(200),
  kind: z.enum(evidenceKinds),
  /** Where it comes from. */
  source: text.optional(),
  uri: text.optional(),
  summary: text.optional(),
  created_at: z.iso.datetime({ offset: true }).optional(),
  /** Of the material, lower-case hex: what makes a pointer hold when the material is changed. */
  sha256: z.string().regex(/^[\da-f]{64}$/).optional(),
})
/** A pointer to material, in KIFF's wire form, as a model gives it. Nobody has looked whether it is there, or says what it is said to say. */
export type EvidenceRef = z.infer<typeof evidenceRef>

/** As it stands in the activity's input. */
export const claim = z.strictObject({
  why: z.string().max(4_000),
  evidence: z.array(z.union([text, evidenceRef])).max(20).optional(),
  confidence: z.number().min(0).max(1).optional(),
})

export interface Claim {
  readonly why: string
  /** In words, or as pointers to material. */
  readonly evidence?: readonly (string | EvidenceRef)[] | undefined
  /** 0 to 1. */
  readonly confidence?: number | undefined
}

/** A claim as a reviewer is shown it: text that can be kept. */
export interface ShownClaim {
  readonly why: string
  readonly evidence: readonly (string | EvidenceRef)[]
  readonly confidence: number | null
}

export function shownClaim({ why, evidence = [], confidence }: Claim): ShownClaim {
  return { why: printable(why), evidence: evidence.map((item) => (typeof item === 'string' ? printable(item) : shownRef(item))), confidence: confidence ?? null }
}

function shownRef(ref: EvidenceRef): EvidenceRef {
  const fields = Object.entries(ref).flatMap(([name, value]) => (value === undefined ? [] : [[name, printable(value)] as const]))
  return { ...ref, ...Object.fromEntries(fields) }
}
