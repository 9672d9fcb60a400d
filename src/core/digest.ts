/** The only file of the core that uses `node:crypto`; nothing the sandbox bundles may reach it. */
import { createHash } from 'node:crypto'
import { canonical } from './canonical.ts'

/** SHA-256 of the UTF-8 bytes of `text`, in lower-case hex (64 characters). */
export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}

/** SHA-256 over RFC 8785 canonical JSON, in lower-case hex. @throws NotCanonical */
export function digestOf(value: unknown): string {
  return sha256(canonical(value))
}
