/** The ports of the last start, where they are free: links that people have kept go on working. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { freePort } from './ports.ts'

const kept = z.object({ inbox: z.int(), payments: z.int() }).partial()

export interface Ports {
  readonly inbox: number
  readonly payments: number
}

/** Takes the usual ports at the first start; says so when somebody else has one. */
export async function keptPorts(stateDir: string, onProgress: (line: string) => void): Promise<Ports> {
  const file = join(stateDir, 'ports.json')
  const before = read(await readFile(file, 'utf8').catch(() => '{}'))
  const take = async (what: string, wanted: number): Promise<number> => {
    const port = await freePort(wanted)
    if (port !== wanted) onProgress(`${wanted} is taken, using ${port} for ${what}`)
    return port
  }
  const ports = { inbox: await take('the inbox', before.inbox ?? 4080), payments: await take('the example payment provider', before.payments ?? 4081) }
  await writeFile(file, JSON.stringify(ports))
  return ports
}

function read(text: string): Partial<Ports> {
  try {
    const { inbox, payments } = kept.parse(JSON.parse(text))
    return { ...(inbox === undefined ? {} : { inbox }), ...(payments === undefined ? {} : { payments }) }
  } catch {
    return {} // only a preference
  }
}
