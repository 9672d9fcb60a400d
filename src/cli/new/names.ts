/** The names in generated files: which may be asked for, and which are made from others. */

/** What a domain may be called: it is also the folder, and the task queue. */
export const isDomainName = (name: string): boolean => /^[a-z][a-z0-9-]{0,39}$/.test(name)
export const isEntityName = (name: string): boolean => /^[A-Z][A-Za-z0-9]{0,63}$/.test(name)
export const isActionName = (name: string): boolean => /^[A-Z][A-Z0-9_]{0,63}$/.test(name)
export const isPermission = (name: string): boolean => /^[^.]+(\.[^.]+)+$/.test(name)

/** What the language does not let a module declare. */
const reserved = `
  arguments as async await break case catch class const continue debugger default delete do else enum eval export extends false finally for
  from function get globalThis if implements import in infer instanceof interface is let module namespace new null of package private
  protected public require return set static super switch this throw true try type typeof undefined using var void while with yield`
/** What the generated files declare or import beside the domain. */
const ours = `
  actor assert autonomousLimitCents beforeEach bound cents defineDomain entity entityId executors note output params proposing scene settle
  test testDomain text z`
const taken = new Set(`${reserved} ${ours}`.trim().split(/\s+/))

/** The constant that a domain is exported as: `support-ops` is `supportOps`; `class` can't be one, so it is `classRules`. */
export function constantOf(domain: string): string {
  const name = domain.replaceAll(/-+(.?)/g, (_, letter: string) => letter.toUpperCase())
  return taken.has(name) ? `${name}Rules` : name
}

/** A guess at what one of them is called: `support-tickets` are each a `SupportTicket`. */
export function entityOf(domain: string): string {
  const words = domain.split('-').filter((word) => word !== '')
  return words.map((word, index) => titled(index === words.length - 1 ? singular(word) : word)).join('')
}

function singular(word: string): string {
  if (/[^aeiou]ies$/.test(word)) return word.replace(/ies$/, 'y')
  if (/(ss|sh|ch|x)es$/.test(word)) return word.replace(/es$/, '')
  return /[^sui]s$/.test(word) ? word.slice(0, -1) : word
}

/** `SupportTicket` is `SUPPORT_TICKET`, as in the names of events and actions. */
export const upperCase = (entity: string): string => entity.replaceAll(/([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])/g, '$1$3_$2').toUpperCase()
/** `SupportTicket` is `support-ticket`, as in the ids of a test. */
export const lowerCase = (entity: string): string => upperCase(entity).toLowerCase().replaceAll('_', '-')
/** `SupportTicket` is `support ticket`, in a sentence. */
export const inWords = (entity: string): string => lowerCase(entity).replaceAll('-', ' ')
/** `REFUND_ORDER` is `Refund order`. */
export const asSentence = (action: string): string => titled(action.toLowerCase().replaceAll(/_+/g, ' ').trim())

/** `name`, or with the first number behind it that makes it free. */
export function freeName(name: string, others: Iterable<string>): string {
  const used = new Set(others)
  let free = name
  for (let number = 2; used.has(free); number += 1) free = `${name}-${number}`
  return free
}

const titled = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)
