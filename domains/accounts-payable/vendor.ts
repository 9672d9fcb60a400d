/** Vendors: kept in a register that is not ours, so an entity without states. What the register says is a fact, read anew at each judgement. */
import { entity, factFromLoader } from 'kiff-temporal'
import { z } from 'zod'

export const Vendor = entity('Vendor')

/** `known`: not yet trusted with payments that nobody looks at. `blocked`: gets nothing. */
const standing = z.enum(['trusted', 'known', 'blocked'])

const registered = z.strictObject({ standing, bankFingerprint: z.string() })
export type Payee = z.infer<typeof registered>

/** Whom an invoice would be paid to, as the register has the recorded vendor; `null` for one that it does not know. */
export const payee = factFromLoader(registered.nullable())

/** The vendor that an action is on, and where it takes letters; `null` for one that the register does not know. */
export const vendor = factFromLoader(z.strictObject({ standing, letters: z.email().max(200) }).nullable())
