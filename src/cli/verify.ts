/** `verify`: what can be said against a domain's rules, before anything runs on them. */
import type { Command } from 'commander'
import { DomainError, finding, isError, type Finding } from '../core/findings.ts'
import { verifyDomain } from '../core/verify.ts'
import { executorFindings } from '../core/verify-executors.ts'
import { defaultApp } from '../dev/app.ts'
import type { Domain } from '../core/domain.ts'
import type { BoundDomain } from '../gate/binding.ts'
import { exit, Failure } from './exit.ts'
import { boundIn, domainsMeant } from './verify-module.ts'

interface VerifyFlags {
  readonly app: string
  readonly executors?: string
  readonly strict?: true
  readonly json?: true
}

/** One domain's findings. `domain` is `null` where a module exports none; `size` where it could not be loaded. */
interface Verdict {
  readonly domain: string | null
  readonly ok: boolean
  readonly executors: 'looked_at' | 'not_looked_at'
  readonly findings: readonly Finding[]
  readonly size: string | null
}

export function verifyCommand(program: Command): void {
  program
    .command('verify')
    .description("check a domain's rules: its vocabulary closes, its approvals can be given, nothing rests on an agent's word")
    .argument('[domain]', "a module or folder that exports domains, or a domain of the application, as refunds; all of the application's unless told")
    .option('--app <module>', 'the application whose domains are meant', defaultApp)
    .option('--executors <module>', 'a module that exports what `executors(…)` returns: are all bound, and written?')
    .option('--strict', 'let warnings fail as well')
    .option('--json', 'print one JSON object')
    .addHelpText('after', `
The module is loaded, and the rules are run on samples made from their schemas, to see which parameters they read:
  - a truth that check, forbid or approval.when reads is the agent's claim; it must be a declared fact, or explained in "asserted"
  - so is an enumeration's word or a text that describe does not tell, and a number that is neither described nor emitted
  - a branch that no sample enters is not seen
The codes are in docs/verify.md. Exit codes: 0 no error, 5 errors (with --strict: or warnings), 2 no module, or no domain in it.`)
    .action(async (domain: string | undefined, flags: VerifyFlags) => {
      const bound = flags.executors === undefined ? undefined : await boundIn(flags.executors)
      const verdicts = await verdictsOn(domain, flags.app, bound, flags.strict === true)
      console.log(flags.json ? JSON.stringify({ domains: verdicts.map(({ domain, ok, executors, findings }) => ({ domain, ok, executors, findings })) }) : verdicts.map(told).join('\n'))
      if (bound === undefined && !flags.json) console.error('executors were not looked at; name the module that binds them with --executors')
      process.exitCode = verdicts.some(({ domain }) => domain === null) ? exit.usage : verdicts.every(({ ok }) => ok) ? exit.ok : exit.verificationFailed
    })
}

async function verdictsOn(meant: string | undefined, app: string, bound: readonly BoundDomain[] | undefined, strict: boolean): Promise<readonly Verdict[]> {
  const executors = bound === undefined ? 'not_looked_at' : 'looked_at'
  const passes = (findings: readonly Finding[]): boolean => (strict ? findings.length === 0 : !findings.some(isError))
  try {
    const domains = await domainsMeant(meant, app)
    if (domains.length === 0) return [{ domain: null, ok: false, executors, findings: [finding('not_a_domain', {}, `${meant ?? app} exports no domain`)], size: null }]
    return domains.map((domain) => {
      const findings = [...verifyDomain(domain), ...(bound === undefined ? [] : executorFindings(domain.actions, executorsOf(domain, bound)))]
      return { domain: domain.name, ok: passes(findings), executors, findings, size: sizeOf(domain) }
    })
  } catch (error) {
    // The module ends where `defineDomain` refuses; what it would have exported after that is not known.
    if (!(error instanceof DomainError)) throw error
    return [{ domain: error.domain, ok: false, executors: 'not_looked_at', findings: error.findings, size: null }]
  }
}

function executorsOf({ name }: Domain, bound: readonly BoundDomain[]): (action: string) => unknown {
  const its = bound.filter(({ domain }) => domain.name === name)
  if (its.length === 0) throw new Failure(`no executors of ${name} in the module named with --executors`, exit.usage)
  return (action) => its.map(({ executorOf }) => executorOf(action)).find((executor) => executor !== undefined)
}

function sizeOf({ actions, entities }: Domain): string {
  return `${counted(Object.keys(actions).length, 'action')}, ${counted(Object.keys(entities).length, 'entity', 'entities')}`
}

function told({ domain, ok, findings, size }: Verdict): string {
  const lines = findings.map(({ severity, code, action, entity, message }) => {
    const place = action ?? entity
    return `  ${severity.toUpperCase().padEnd(7)} ${code}${place === null ? '' : ` [${place}]`}: ${message}`
  })
  const errors = findings.filter(isError).length
  return [
    ok && size !== null ? `OK  ${domain} — closed and consistent (${size})` : (domain ?? 'no domain'),
    ...lines,
    ...(findings.length === 0 ? [] : [`${counted(errors, 'error')}, ${counted(findings.length - errors, 'warning')}`]),
  ].join('\n')
}

const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`
