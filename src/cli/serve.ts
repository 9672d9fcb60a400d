/** `serve`: the human-facing service. Its environment is all it holds: the reviewer login and the private review key. */
import { once } from 'node:events'
import type { Command } from 'commander'
import { serveApprovals } from '../approvals/serve.ts'
import { exit, Failure, required } from './exit.ts'

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
      const inbox = await serveApprovals({
        temporalAddress: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233',
        namespace: process.env['TEMPORAL_NAMESPACE'] ?? 'default',
        databaseUrl: required('KIFF_REVIEWER_DATABASE_URL'),
        reviewKey: parseKey(required('KIFF_REVIEW_PRIVATE_KEY')),
        host: process.env['KIFF_INBOX_HOST'] ?? '127.0.0.1',
        port: Number(process.env['KIFF_INBOX_PORT'] ?? 4080),
        person: required('KIFF_INBOX_PERSON'),
        temporalUi: process.env['KIFF_TEMPORAL_UI'],
        onFault: (message) => console.error(`relay: ${message}`),
      })
      console.log(`inbox on ${inbox.url}`)
      console.log(`log in once at ${inbox.newLink()}`)
      await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
      await inbox.close()
    })
}

function parseKey(text: string): { kty: string } {
  try {
    const key: unknown = JSON.parse(text)
    if (typeof key === 'object' && key !== null && 'kty' in key && typeof key.kty === 'string') return { ...key, kty: key.kty }
  } catch {
    // told below, without a word of the key itself
  }
  throw new Failure('KIFF_REVIEW_PRIVATE_KEY is not a JWK (JSON)', exit.usage)
}
