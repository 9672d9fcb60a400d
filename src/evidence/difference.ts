/** Where two JSON values differ, in words. */
import { isDeepStrictEqual } from 'node:util'

/** The first place at which `second` is not `first`, as `params.amountCents: 99900, not 100`; `null` when they are equal. */
export function difference(first: unknown, second: unknown, path = ''): string | null {
  if (isDeepStrictEqual(first, second)) return null
  if (isObject(first) && isObject(second) && Array.isArray(first) === Array.isArray(second)) {
    for (const key of new Set([...Object.keys(first), ...Object.keys(second)])) {
      const found = difference(Reflect.get(first, key), Reflect.get(second, key), path === '' ? key : `${path}.${key}`)
      if (found !== null) return found
    }
  }
  return `${path === '' ? 'it' : path} is ${shown(second)}, not ${shown(first)}`
}

/** A value as its JSON has it: members that are `undefined` are gone. */
export function asJson(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** Shortened; what an agent wrote stays inside the quotes of its JSON. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'absent'
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
