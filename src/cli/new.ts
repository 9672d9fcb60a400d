/** `new`: the files of a domain to start from, or of one that a descriptor of KIFF's describes. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Command } from 'commander'
import { visible } from '../approvals/visible-text.ts'
import { exit, Failure } from './exit.ts'
import { fromDescriptor, startingFrom, type Generated } from './new/generate.ts'
import { entityOf, isDomainName, isEntityName } from './new/names.ts'
import { nextSteps, type NextStep } from './new/next-steps.ts'
import { parseDescriptor } from './new/parse-descriptor.ts'
import { writeFolder, type WrittenFile } from './new/write.ts'

interface NewFlags {
  readonly entity?: string
  readonly dir: string
  readonly descriptor?: string
  readonly force?: true
  readonly json?: true
}

export function newCommand(program: Command): void {
  program
    .command('new')
    .description('make the files of a new domain: rules that verify, a test that passes, executors to be written')
    .argument('[name]', "the domain's name, as subscriptions, and the folder's; with --descriptor it may be left out")
    .option('--entity <entity>', 'what one of them is called, as Subscription; guessed from the name unless told')
    .option('--dir <folder>', 'the folder in which the new one is made', '.')
    .option('--descriptor <file>', "KIFF's JSON descriptor of a domain, to generate it from; - reads stdin")
    .option('--force', 'also into a folder that is not empty; files of the same names are replaced')
    .option('--json', 'print one JSON object')
    .addHelpText('after', `
A descriptor: { domain, entity, events[], states[], transitions[{on, from, to}], actions[{name, allowed_states[], required_parameters[],
required_permissions[], risk, approval, follow_up_events[]}], roles{role: [permission]} }. What it leaves open is decided carefully, and
marked with a TODO. Exit codes: 0 made, 2 a name, a descriptor or a folder that will not do.`)
    .action(async (name: string | undefined, flags: NewFlags) => {
      const { generated, notes } = flags.descriptor === undefined ? asked(name, flags.entity) : await described(flags.descriptor, name, flags.entity)
      const folder = join(flags.dir, generated.domain)
      const files = await writeFolder(folder, generated.files, flags.force === true)
      const next = nextSteps(folder, generated.duties)
      const todos = generated.files.reduce((sum, file) => sum + file.text.split('// TODO: ').length - 1, 0)
      const { domain, entity } = generated
      console.log(flags.json ? JSON.stringify({ domain, entity, folder, files, todos, notes, next }) : told(generated, files, todos, next))
      if (!flags.json) for (const note of notes) console.error(note)
    })
}

interface Made {
  readonly generated: Generated
  readonly notes: readonly string[]
}

function asked(name: string | undefined, given: string | undefined): Made {
  if (name === undefined) throw new Failure('name the domain, as in "kiff-temporal new subscriptions"', exit.usage)
  if (!isDomainName(name)) throw new Failure(`"${visible(name)}" is no name of a domain: lower case letters, digits and dashes, at most 40, as support-ops`, exit.usage)
  const entity = given ?? entityOf(name)
  if (!isEntityName(entity) || entity.length > 30) throw new Failure(`"${visible(entity)}" is no name of an entity: letters and digits, at most 30, as VendorInvoice${given === undefined ? '; name it with --entity' : ''}`, exit.usage)
  return { generated: startingFrom(name, entity), notes: [] }
}

async function described(file: string, name: string | undefined, entity: string | undefined): Promise<Made> {
  if (entity !== undefined) throw new Failure('the descriptor names the entity; leave --entity out', exit.usage)
  const where = file === '-' ? 'stdin' : file
  const parsed = parseDescriptor(await read(file))
  if (!parsed.ok) throw new Failure(parsed.problems.map(({ place, message }) => `${where}: ${place === '' ? '' : `${visible(place)}: `}${visible(message)}`).join('\n'), exit.usage)
  const { descriptor } = parsed
  if (name !== undefined && name !== descriptor.domain) throw new Failure(`${where}: domain: it is "${descriptor.domain}", and "${visible(name)}" was asked for; leave the name out, or make them one`, exit.usage)
  const notes = descriptor.adapter === undefined ? [] : [`the adapter "${visible(descriptor.adapter)}" is not generated: an adapter is a function here (adapt, mappingAdapter of kiff-temporal), of whoever reports`]
  return { generated: fromDescriptor(descriptor), notes }
}

const maxCharacters = 1_000_000

async function read(file: string): Promise<string> {
  let descriptor: string
  try {
    descriptor = file === '-' ? await text(process.stdin) : await readFile(file, 'utf8')
  } catch (error) {
    throw new Failure(`the descriptor could not be read: ${error instanceof Error ? error.message : String(error)}`, exit.usage)
  }
  if (descriptor.length > maxCharacters) throw new Failure(`the descriptor is longer than ${maxCharacters} characters`, exit.usage)
  return descriptor
}

function told({ domain, entity }: Generated, files: readonly WrittenFile[], todos: number, next: readonly NextStep[]): string {
  const width = Math.max(...next.map(({ command }) => command.length).filter((length) => length < 90))
  return [
    `domain ${domain}, entity ${entity}${todos === 0 ? '' : `, ${todos} decisions marked TODO`}`,
    ...files.map(({ path, replaced }) => `  ${replaced ? 'replaced' : 'made'} ${path}`),
    'next:',
    ...next.map(({ command, why }) => `  ${command.padEnd(width)}  # ${why}`),
  ].join('\n')
}
