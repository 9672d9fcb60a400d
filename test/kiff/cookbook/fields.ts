/** Parameters and payloads that the cookbook's recipes share. */
import { z } from 'zod'

export const nothing = z.strictObject({})
export const id = z.string().min(1).max(100)
export const reason = z.string().min(1).max(500)
export const percent = z.int().min(0).max(100)
/** An amount; no recipe may move more at once. */
export const cents = z.int().min(1).max(1_000_000_000)
export const currency = z.enum(['EUR', 'USD'])
