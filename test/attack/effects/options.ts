/** What `npm run effects` can be told. */
import { Command, InvalidArgumentError } from 'commander'
import { faults } from './faults/index.ts'
import { drawFrom } from './random.ts'
import { batchesOf, type Fault } from './run.ts'

export interface Options {
  /** Which faults, and each with how many trials. */
  readonly chosen: readonly { readonly fault: Fault; readonly trials: number }[]
  readonly seed: number
  /** Only this batch of each; those that do not have it are not chosen. */
  readonly batch: number | undefined
  readonly json: boolean
}

interface Flags {
  readonly fault?: readonly string[]
  readonly trials?: number
  readonly seed?: number
  readonly batch?: number
  readonly json?: true
}

const names = faults.map(({ fault }) => fault.name).join(', ')

/** @throws CommanderError: its message is one sentence; exit code 0 when help was asked for, and given */
export function readOptions(args: readonly string[]): Options {
  const command = new Command('npm run effects --')
    .description('Tries to break "never more than one effect per proposal", on a Postgres and a Temporal server that it starts for this alone.')
    .option('--fault <name>', `only this one; may be repeated, or name several with commas: ${names}`, wanted)
    .option('--trials <count>', "at least so many for each fault (default: each fault's own number)", wholeFrom(1))
    .option('--seed <number>', 'what is drawn (default: by chance, and told)', wholeFrom(0))
    .option('--batch <number>', 'only this batch of each fault, counted from 0', wholeFrom(0))
    .option('--json', 'print the reports, one JSON object a line, in place of the table')
    .helpOption('--help', 'print this')
    .addHelpText('after', '\nExit codes: 0 when everything is as it must be, 1 when something is not, 2 for wrong options, 130 when stopped.\ndocs/at-most-one-effect.md says what the table counts.')
    .configureOutput({ outputError: () => {} }) // told by whoever catches it
    .exitOverride()
  const flags = command.parse(args, { from: 'user' }).opts<Flags>()
  const seed = flags.seed ?? Math.floor(Math.random() * 2 ** 31)
  const { batch } = flags
  const chosen = faults
    .filter(({ fault }) => flags.fault?.includes(fault.name) ?? true)
    .map(({ fault, trials: usual }) => {
      const trials = flags.trials ?? usual
      return { fault, trials, batches: batchesOf(fault, drawFrom(seed), trials).length }
    })
  const having = chosen.filter(({ batches }) => batch === undefined || batch < batches)
  if (having.length === 0) command.error(`error: there is no batch ${batch}: ${chosen.map(({ fault, batches }) => `${fault.name} has ${batches}`).join(', ')}, counted from 0`)
  return { chosen: having, seed, batch, json: flags.json === true }
}

function wanted(text: string, before: readonly string[] = []): readonly string[] {
  const some = text.split(',')
  const unknown = some.find((name) => !faults.some(({ fault }) => fault.name === name))
  if (unknown !== undefined) throw new InvalidArgumentError(`There is no fault "${unknown}"; there are ${names}.`)
  return [...before, ...some]
}

const wholeFrom = (least: number) => (text: string): number => {
  const number = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number) || number < least) throw new InvalidArgumentError(`It is a whole number from ${least}.`)
  return number
}
