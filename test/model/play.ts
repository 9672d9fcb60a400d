/** Playing a schedule on the real gate, and asking after every step whether the model could have written the ledger, and whether its properties hold. */
import { accepts } from './accepts.ts'
import { traceOf } from './trace.ts'
import type { Choice, World } from './world.ts'

/** What is wrong by now; `null`: nothing. */
function problemOf({ memory, provider, keys }: World): string | null {
  const { tables } = memory
  const rows = tables.ledger.all().filter(({ chain }) => tables.chains.get('entity', 'accounts/Account/account-1')?.chain === chain)
  for (const key of keys) {
    const paid = provider.paid.filter((each) => each.startsWith(key))
    const verdict = accepts(traceOf(rows, key, paid))
    if (!verdict.ok) return `the model does not accept it: ${verdict.why}`
    const attempts = tables.executions.all().filter(({ executionKey }) => executionKey === key)
    if (paid.some((each) => !attempts.some(({ ordinal }) => each === (ordinal === 1 ? key : `${key}-${ordinal}`)))) return 'an effect without its opened row'
    // What a person has wrongly said to be undone is not the gate's doing.
    const wrongly = attempts.filter(({ ordinal, status }) => status === 'failed' && tables.reconciliations.all().some((said) => said.executionKey === key && said.ordinal === ordinal && said.verdict === 'not_happened'))
    const counted = paid.filter((each) => !wrongly.some(({ ordinal }) => each === (ordinal === 1 ? key : `${key}-${ordinal}`)))
    if (counted.length > 1) return `${counted.length} effects: ${counted.join(', ')}`
    const used = tables.consumptions.all().filter(({ executionKey }) => executionKey === key)
    if (attempts.length > used.length && rows.some(({ body }) => body.includes('"kind":"approval_requested"'))) return 'an execution without its consumed grant'
  }
  const holding = tables.executions.all().filter(({ status, completionRejected }) => status === 'reserved' || status === 'in_doubt' || completionRejected !== null)
  return holding.length > 1 ? 'two executions hold the entity' : null
}

/** What a step may have changed. */
const sizeOf = ({ memory, provider }: World): number => memory.tables.ledger.all().length + provider.paid.length

export interface Played {
  readonly happened: readonly string[]
  readonly problem: string | null
  readonly kinds: readonly string[]
  readonly paid: readonly string[]
}

/** Plays first what is named, then what is drawn, up to the first problem. */
export async function play(world: World, first: readonly string[], draws: readonly number[]): Promise<Played> {
  const happened: string[] = []
  const played = (problem: string | null): Played => ({ problem, happened, kinds: kindsIn(world), paid: world.provider.paid })
  const steps = [...first.map((name) => () => named(world, name)), ...draws.map((draw) => () => drawn(world, draw))]
  for (const next of steps) {
    const choice = next()
    if (choice === undefined) continue
    happened.push(choice[0])
    const before = sizeOf(world)
    await choice[1]()
    const problem = sizeOf(world) === before ? null : problemOf(world)
    if (problem !== null) return played(problem)
  }
  return played(null)
}

function named(world: World, name: string): Choice {
  const found = world.choices().flat().find(([each]) => each.startsWith(name))
  if (found === undefined) throw new Error(`"${name}" cannot happen now, only: ${[...new Set(world.choices().flat().map(([each]) => each))].join('; ')}`)
  return found
}

function drawn(world: World, draw: number): Choice | undefined {
  const groups = world.choices()
  const group = groups[draw % groups.length] ?? []
  return group[Math.floor(draw / groups.length) % group.length]
}

const kindsIn = ({ memory }: World): readonly string[] => memory.ledger().map(({ body }) => String(Reflect.get(JSON.parse(body) as object, 'kind'))).filter((kind) => !kind.startsWith('role_'))
