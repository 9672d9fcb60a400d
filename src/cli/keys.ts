/** `keys`: fresh secrets for a deployment of one's own, in the form of an environment file. */
import type { Command } from 'commander'
import { generateDevReviewKey } from '../approvals/signing.ts'
import { randomSecret } from '../dev/secrets.ts'

export function keysCommand(program: Command): void {
  program
    .command('keys')
    .description('print new passwords and a new review key, as lines for an .env file')
    .action(async () => {
      const { privateKey, publicKeys } = await generateDevReviewKey()
      for (const name of ['KIFF_ADMIN_PASSWORD', 'KIFF_PASSWORD_OWNER', 'KIFF_PASSWORD_GATE', 'KIFF_PASSWORD_REVIEWER', 'KIFF_PASSWORD_AUDITOR', 'PAYMENTS_TOKEN']) {
        console.log(`${name}=${randomSecret()}`)
      }
      console.log(`KIFF_REVIEW_PRIVATE_KEY='${JSON.stringify(privateKey)}'`)
      console.log(`KIFF_REVIEW_KEYS='${JSON.stringify(publicKeys)}'`)
    })
}
