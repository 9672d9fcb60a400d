/** When two steps of a run chain are equal: the text they are compared by, and its SHA-256 where the text is too long to carry. */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { canonical, NotCanonical } from '../core/canonical.ts'

/** As it will stand in the activity's input: members that are `undefined` are gone. */
export function plain(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value) ?? 'null')
}

/** Only equality counts here; the gate makes the digest. What has no canonical form is refused there. */
export function textOf(subject: unknown): string {
  try {
    return canonical(subject)
  } catch (error) {
    if (error instanceof NotCanonical) return JSON.stringify(subject)
    throw error
  }
}

/** Tells children apart by type and arguments. Arguments that only a payload converter of the user's can write do not count. */
export function childDigest(workflowType: string, args: readonly unknown[]): string {
  return bytesToHex(sha256(utf8ToBytes(textOf([workflowType, jsonOrNull(args)]))))
}

function jsonOrNull(value: unknown): unknown {
  try {
    return plain(value)
  } catch {
    return null
  }
}
