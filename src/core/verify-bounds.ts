/** Verifying parameters' size: an agent that may say any number will one day say a very large one. */
import type { Contract } from './contract.ts'
import { finding, type Finding, type FindingCode } from './findings.ts'
import { placesOf, type Shape } from './verify-schema.ts'

/** Numbers, texts and lists without an upper bound, nested ones too, where the action reaches outside or risks something. */
export function boundFindings(action: string, { paramsSchema, effect, risk }: Contract): Finding[] {
  if (effect === 'none' && risk === 'low') return []
  const found = new Map<string, Finding>()
  for (const { path, shape } of placesOf(paramsSchema)) {
    const code = unbounded(shape)
    if (code !== undefined) found.set(`${code} ${path}`, finding(code, { action }, `parameter ${path} has no maximum`))
  }
  return [...found.values()]
}

function unbounded(shape: Shape): FindingCode | undefined {
  if (shape.kind === 'number') return shape.max === null ? 'unbounded_amount' : undefined
  if (shape.kind === 'array') return shape.maxItems === null ? 'unbounded_list' : undefined
  if (shape.kind !== 'string' || shape.maxLength !== null || shape.format === sizedFormat) return undefined
  return shape.pattern !== null && isSized(shape.pattern) ? undefined : 'unbounded_text'
}

/** Of a date and time, only the fraction of a second repeats. */
const sizedFormat = 'date-time'

/** A pattern for the whole text, in which nothing repeats without end. */
function isSized(pattern: string): boolean {
  return /^\^.*\$$/s.test(pattern) && !/[*+]|\{\d+,\}/.test(pattern.replaceAll(/\\.|\[[^\]]*\]/g, ''))
}
