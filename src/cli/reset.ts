/** `reset`: removes what `dev` keeps in its state folder, the database's files included, wherever they are. */
import { existsSync } from 'node:fs'
import { readdir, readFile, rm, rmdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { claimFolder } from '../dev/claim.ts'
import { discardCluster } from '../dev/postgres-cluster.ts'
import { devSecrets } from '../dev/secrets.ts'
import { exit, Failure } from './exit.ts'
import { stateDir } from './where.ts'

/** The files that `dev` makes beside the database's folder. */
const ours = /^(dev-secrets|ports|ready)\.json$|^payments\.jsonl$|^temporal\.(log|db(-\w+)?)$|^(stack|temporal)\.claim$/

const say = (line: string): void => { console.error(line) }

export function resetCommand(program: Command): void {
  program
    .command('reset')
    .description('remove what "npm start" keeps here: database, workflows, secrets')
    .option('--yes', 'really; there is no way back')
    .addHelpText('after', '\nEnvironment: KIFF_STATE is the folder (.kiff). A server of DATABASE_URL or TEMPORAL_ADDRESS is left as it is.')
    .action(async ({ yes }: { readonly yes?: true }) => {
      const folder = resolve(stateDir())
      // Only a folder that is ours by its contents: KIFF_STATE may be mistyped.
      if (!existsSync(join(folder, 'dev-secrets.json'))) throw new Failure(`${folder} holds nothing of "npm start"`, exit.usage)
      await devSecrets(folder)
      const postgres = join(folder, 'postgres')
      const elsewhere = (await readFile(join(postgres, 'cluster-is-at'), 'utf8').catch(() => '')).trim()
      const what = elsewhere === '' ? folder : `${folder} and ${elsewhere}`
      if (!yes) throw new Failure(`this would remove ${what}; say --yes`, exit.usage)
      for (const server of ['stack', 'temporal']) await claimFolder(folder, server, say)
      if (existsSync(postgres)) {
        await claimFolder(postgres, 'postgres', say)
        await discardCluster(postgres)
      }
      for (const name of (await readdir(folder)).filter((each) => ours.test(each))) await rm(join(folder, name))
      await rmdir(folder).catch(() => {}) // it may be home to something else
      console.log(`removed ${what}`)
    })
}
