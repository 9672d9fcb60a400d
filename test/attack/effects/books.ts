/** The provider's process, as the harness holds it, and its books, read from disk. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One request, as it went. */
export interface Booked {
  readonly order: string
  readonly key: string
  readonly external: boolean
  readonly how: Conduct['how']
  /** Of the payment that it made, or had made before; `null`: nothing was paid. */
  readonly paymentId: string | null
  /** `false`: nothing was paid, or the key was known, and honoured. */
  readonly effect: boolean
  /** By the provider's clock, milliseconds. */
  readonly at: number
}

/** How a request goes: `cut`: nothing is paid and the line is cut; `pay_and_cut`: it is paid, and the line is cut. */
export interface Conduct {
  readonly how: 'pay' | 'cut' | 'pay_and_cut' | 'decline' | 'garbage'
  readonly delayMs: number
}

export interface Books {
  readonly url: string
  /** Says how the requests about these orders go, in turn. */
  readonly conduct: (orders: Readonly<Record<string, readonly Conduct[]>>) => Promise<void>
  /** Every request there was, oldest first. */
  readonly asked: () => readonly Booked[]
  /** Those that were paid. */
  readonly paid: (order?: string) => readonly Booked[]
  readonly close: () => Promise<void>
}

export async function openBooks(folder: string): Promise<Books> {
  const file = join(folder, 'books.jsonl')
  const child = spawn(process.execPath, [new URL('provider.ts', import.meta.url).pathname], { env: { PATH: process.env['PATH'], BOOKS: file }, stdio: ['pipe', 'pipe', 'inherit'] })
  const gone = once(child, 'exit')
  const [port] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
  const url = `http://127.0.0.1:${Number(port)}`
  const asked = (): readonly Booked[] => readFileSync(file, 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Booked)
  return {
    url, asked,
    async conduct(orders) {
      await fetch(`${url}/conduct`, { method: 'POST', body: JSON.stringify(orders) })
    },
    paid: (order) => asked().filter((entry) => entry.paymentId !== null && (order === undefined || entry.order === order)),
    async close() {
      child.stdin.end()
      await gone
    },
  }
}
