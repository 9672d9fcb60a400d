/** A ledger row's body, read back. Untrusted: that it may have been altered is what is being looked into. */
import { z } from 'zod'

const text = z.string().nullish()

const body = z.object({
  format: z.literal(1),
  kind: z.string(),
  domain: z.string(),
  namespace: text,
  workflow_id: text,
  first_execution_run_id: text,
  run_id: text,
  activity_id: text,
  entity_type: text,
  entity_id: text,
  action: text,
  actor: text,
  on_behalf_of: text,
  trace_id: text,
  correlation_id: text,
  causation_id: text,
  tags: z.unknown().optional(),
  mandate: z.looseObject({ sha256: z.string() }).nullish(),
  audit: z.array(z.object({ kind: z.string(), data: z.unknown().optional() })),
  contract: text,
  params: z.unknown().optional(),
  claim: z.unknown().optional(),
  proposal_digest: text,
  execution_key: text,
  caller_key: text,
  decision: z.object({ outcome: z.string(), reason: text, message: z.string() }).nullish(),
  state: z.object({ value: z.string(), version: z.number() }).nullish(),
  facts: z.record(z.string(), z.unknown()).nullish(),
  approval_id: text,
  review: z.unknown().optional(),
  events: z.array(z.object({ id: z.string(), type: z.string(), payload: z.unknown(), from: z.string().nullable(), to: z.string() })).nullish(),
  output: z.unknown().optional(),
})

export type LedgerBody = z.infer<typeof body>

/** The body, or what is wrong with it, in words. */
export function parseBody(source: string): { readonly body: LedgerBody } | { readonly problem: string } {
  let value: unknown
  try {
    value = JSON.parse(source)
  } catch {
    return { problem: 'it is not JSON' }
  }
  const parsed = body.safeParse(value)
  if (parsed.success) return { body: parsed.data }
  const [issue] = parsed.error.issues
  return { problem: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a ledger row'}` }
}
