/** `serve`: the human-facing service. Its environment is all it holds: the reviewer login and the private review key. */
import { once } from 'node:events'
import type { Command } from 'commander'
import { serveApprovals, type ServeOptions } from '../approvals/serve.ts'
import { checkDatabaseUrl } from '../dev/database-url.ts'
import { exit, Failure } from './exit.ts'
import { allSet, setIn } from './where.ts'

export function serveCommand(program: Command): void {
  program
    .command('serve')
    .description('run the human-facing service: inbox, signed reviews, relay')
    .addHelpText('after', `
Environment:
  KIFF_REVIEWER_DATABASE_URL  Postgres, as the kiff_reviewer login (required)
  KIFF_REVIEW_PRIVATE_KEY     private Ed25519 key as a JWK with a kid (required); only this process may have it
  TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE   127.0.0.1:7233, default
  KIFF_INBOX_HOST, KIFF_INBOX_PORT       127.0.0.1, 4080; the one-time link login works on loopback only
  KIFF_INBOX_PERSON           whom login links log in (required)
  KIFF_TEMPORAL_UI            the Temporal UI's address, for links`)
    .action(async () => {
      const options = settings()
      await checkDatabaseUrl(options.databaseUrl, { name: 'KIFF_REVIEWER_DATABASE_URL', hint: neverMade })
      const inbox = await serveApprovals(options)
      // Listening before a word is said: whoever reads it may send one at once.
      const told = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
      console.log(`inbox on ${inbox.url}`)
      console.log(`log in once at ${inbox.newLink()}`)
      await told
      await inbox.close()
    })
}

const neverMade = '; if the login was never made, run "kiff-temporal migrate" once, with DATABASE_URL as an administrator'

function settings(): ServeOptions {
  const set = allSet(['KIFF_REVIEWER_DATABASE_URL', 'KIFF_REVIEW_PRIVATE_KEY', 'KIFF_INBOX_PERSON'])
  const port = setIn('KIFF_INBOX_PORT') ?? '4080'
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new Failure(`KIFF_INBOX_PORT is "${port}", which is no port; it is a number, such as 4080`, exit.usage)
  return {
    temporalAddress: setIn('TEMPORAL_ADDRESS') ?? '127.0.0.1:7233',
    namespace: setIn('TEMPORAL_NAMESPACE') ?? 'default',
    databaseUrl: set.KIFF_REVIEWER_DATABASE_URL,
    reviewKey: parseKey(set.KIFF_REVIEW_PRIVATE_KEY),
    host: setIn('KIFF_INBOX_HOST') ?? '127.0.0.1',
    port: Number(port),
    person: set.KIFF_INBOX_PERSON,
    temporalUi: setIn('KIFF_TEMPORAL_UI'),
    onFault: (message) => { console.error(`relay: ${message}`) },
  }
}

function parseKey(text: string): ServeOptions['reviewKey'] {
  try {
    const key: unknown = JSON.parse(text)
    if (typeof key === 'object' && key !== null && 'kty' in key && typeof key.kty === 'string') return { ...key, kty: key.kty }
  } catch {
    // told below, without a word of the key itself
  }
  throw new Failure('KIFF_REVIEW_PRIVATE_KEY is not a JWK (JSON)', exit.usage)
}
