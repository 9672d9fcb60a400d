/** Reading a descriptor: untrusted JSON, parsed once. Whatever is wrong is told with its place in it. */
import type { z } from 'zod'
import { canonical, NotCanonical } from '../../core/canonical.ts'
import { descriptorShape, type Descriptor, type Problem } from './descriptor.ts'
import { problemsOf } from './descriptor-rules.ts'

/** The descriptor, or everything that is wrong with it. Unknown fields are. */
export function parseDescriptor(text: string): { readonly ok: true; readonly descriptor: Descriptor } | { readonly ok: false; readonly problems: readonly Problem[] } {
  let raw: unknown
  try {
    raw = JSON.parse(text)
    canonical(raw, '') // no "__proto__", no U+0000, no half a character
  } catch (error) {
    const place = error instanceof NotCanonical ? error.path.replace(/^\./, '') : ''
    const message = error instanceof NotCanonical ? error.message.slice(error.path.length + 2) : `it is not JSON: ${error instanceof Error ? error.message : String(error)}`
    return { ok: false, problems: [{ place, message }] }
  }
  const parsed = descriptorShape.safeParse(raw)
  if (!parsed.success) return { ok: false, problems: parsed.error.issues.flatMap(problemsIn) }
  const problems = problemsOf(parsed.data)
  return problems.length === 0 ? { ok: true, descriptor: parsed.data } : { ok: false, problems }
}

function problemsIn(issue: z.core.$ZodIssue): Problem[] {
  const place = placeOf(issue.path)
  if (issue.code === 'unrecognized_keys') return issue.keys.map((field) => ({ place, message: `unknown field ${JSON.stringify(field)}` }))
  const isMissing = issue.code === 'invalid_type' && issue.input === undefined && issue.message.endsWith('received undefined')
  return [{ place, message: isMissing ? 'it is missing' : issue.message }]
}

function placeOf(path: readonly PropertyKey[]): string {
  return path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('').replace(/^\./, '')
}
