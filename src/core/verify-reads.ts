/** What a rule looks at: it is given values that note every member it reads. */

/** Places that a rule has read: `params.lines[].cents`, `facts.balance`. */
export type Reads = readonly string[]

/** What each of a contract's functions has read. */
export interface PolicyReads {
  readonly check: Reads
  readonly forbid: Reads
  readonly approval: Reads
  readonly describe: Reads
  readonly emits: Reads
}

/** What `rule` reads of `values`, member by member. A throw ends the rule; what it has read until then counts. */
export function readsOf<Values extends Readonly<Record<string, unknown>>>(values: Values, rule: (watched: Values) => unknown): Reads {
  const read = new Set<string>()
  const watched = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, watch(value, name, read)]))
  try {
    rule(watched as Values) // the same members, watched
  } catch {
    // it is no judgement
  }
  return [...read]
}

/** A copy of `value` whose members are noted in `read` as they are read. A copy: a frozen object can't be watched inside. */
function watch(value: unknown, path: string, read: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value
  const copy: object = Array.isArray(value) ? [...value] : { ...value }
  const inside = new Map<string | symbol, unknown>()
  const note = (key: string | symbol): string | undefined => {
    const inherited = !Object.hasOwn(copy, key) && key in copy
    if (typeof key === 'symbol' || inherited || (Array.isArray(copy) && key === 'length')) return undefined
    const place = Array.isArray(copy) ? `${path}[]` : `${path}.${key}`
    read.add(place)
    return place
  }
  return new Proxy(copy, {
    get(target, key) {
      const place = note(key)
      if (place === undefined) return Reflect.get(target, key)
      if (!inside.has(key)) inside.set(key, watch(Reflect.get(target, key), place, read))
      return inside.get(key)
    },
    has(target, key) {
      note(key)
      return Reflect.has(target, key)
    },
    getOwnPropertyDescriptor(target, key) {
      note(key)
      return Reflect.getOwnPropertyDescriptor(target, key)
    },
  })
}
