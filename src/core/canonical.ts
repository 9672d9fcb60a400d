/**
 * Canonical JSON (RFC 8785): the one text form that digests, keys and ledger bodies are made from.
 * Pure and free of Node modules, so that the workflow sandbox can use it too.
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** Thrown for a value that has no canonical form; `path` names the place, as in `params.amountCents`. */
export class NotCanonical extends Error {
  readonly path: string
  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`)
    this.name = 'NotCanonical'
    this.path = path
  }
}

const maxDepth = 64

/**
 * The canonical text of `value`, keys in UTF-16 order, numbers as ECMAScript prints them (RFC 8785, 3.2).
 * Stricter than the RFC where Postgres or a reader would lose something: refuses `undefined`, non-finite numbers,
 * negative zero, integers beyond 2^53, U+0000, lone surrogates, `__proto__`, anything but plain objects and arrays, and
 * nesting beyond 64. @throws NotCanonical
 */
export function canonical(value: unknown, path = 'value', depth = 0): string {
  if (depth > maxDepth) throw new NotCanonical(path, `nested deeper than ${maxDepth}`)
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return canonicalString(value, path)
  if (typeof value === 'number') return canonicalNumber(value, path)
  if (Array.isArray(value)) {
    return `[${Array.from(value, (item, index) => canonical(item, `${path}[${index}]`, depth + 1)).join(',')}]`
  }
  if (typeof value === 'object') return canonicalObject(value, path, depth)
  throw new NotCanonical(path, `${typeof value} is not JSON`)
}

/** True when `value` has a canonical form. Total: what throws when it is read has none. */
export function isCanonical(value: unknown): value is Json {
  try {
    canonical(value)
    return true
  } catch {
    return false
  }
}

/** Text that has a canonical form, and that Postgres can hold: U+0000 and lone surrogates replaced. */
export function printable(text: string): string {
  return text.replaceAll('\u0000', '\u2400').toWellFormed()
}

function canonicalObject(value: object, path: string, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  // A plain object of another realm (the sandbox is one) has a prototype whose own prototype is null.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) throw new NotCanonical(path, 'not a plain object')
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1)) // code units, as the RFC says; not by locale
    .map(([key, member]) => {
      if (key === '__proto__') throw new NotCanonical(path, '"__proto__" is not a member name')
      return `${canonicalString(key, path)}:${canonical(member, `${path}.${key}`, depth + 1)}`
    })
  return `{${members.join(',')}}`
}

function canonicalString(value: string, path: string): string {
  if (value.includes('\u0000')) throw new NotCanonical(path, 'contains U+0000')
  if (!value.isWellFormed()) throw new NotCanonical(path, 'contains a lone surrogate')
  return JSON.stringify(value)
}

function canonicalNumber(value: number, path: string): string {
  if (!Number.isFinite(value)) throw new NotCanonical(path, `${value} is not JSON`)
  if (Object.is(value, -0)) throw new NotCanonical(path, 'negative zero')
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw new NotCanonical(path, 'an integer beyond 2^53')
  return JSON.stringify(value)
}
