/** Who is logged in, in memory: a restart logs everybody out. Only hashes of what browsers hold are kept. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

const minute = 60_000
const idleMs = 2 * 60 * minute
const absoluteMs = 12 * 60 * minute

export interface Session {
  readonly person: string
  /** The token that each of this session's forms carries. */
  readonly csrf: string
}

export interface Sessions {
  /** Logs `person` in; returns the new session's id, 32 random bytes, for the cookie. */
  readonly open: (person: string) => string
  /** The session of a cookie; `undefined` after 2 hours unused, 12 hours in all, or a logout. Counts as a use. */
  readonly find: (id: string | undefined) => Session | undefined
  readonly close: (id: string | undefined) => void
}

/** `now` in milliseconds. */
export function createSessions(now: () => number): Sessions {
  const secret = randomBytes(32)
  const opened = new Map<string, { readonly person: string; readonly since: number; used: number }>()

  function isOver({ since, used }: { since: number; used: number }): boolean {
    return now() - since > absoluteMs || now() - used > idleMs
  }

  return {
    open(person) {
      for (const [key, session] of opened) if (isOver(session)) opened.delete(key)
      const id = randomToken()
      opened.set(sha256(id), { person, since: now(), used: now() })
      return id
    },
    find(id) {
      const key = sha256(id ?? '')
      const session = opened.get(key)
      if (session === undefined) return undefined
      if (isOver(session)) {
        opened.delete(key)
        return undefined
      }
      session.used = now()
      return { person: session.person, csrf: createHmac('sha256', secret).update(key).digest('base64url') }
    },
    close(id) {
      opened.delete(sha256(id ?? ''))
    },
  }
}

/** 32 random bytes, URL-safe. */
export function randomToken(): string {
  return randomBytes(32).toString('base64url')
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Compares two secrets in a time that says nothing about where they differ. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(sha256(a)), Buffer.from(sha256(b)))
}
