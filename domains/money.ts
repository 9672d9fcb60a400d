/** Money in words. Amounts are integer cents everywhere else. */
export function euros(cents: number): string {
  return `€${Math.trunc(cents / 100)}.${String(Math.abs(cents) % 100).padStart(2, '0')}`
}
