/** Rules with several reasons. */

/** Those reasons that hold, in KIFF's form: joined by "; ". `false` when none does. */
export function because(...reasons: readonly (string | false)[]): string | false {
  const held = reasons.filter((each) => each !== false)
  return held.length > 0 && held.join('; ')
}
