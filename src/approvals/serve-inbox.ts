/** The inbox on a port, with the development login. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { createInbox, type InboxOptions } from './inbox.ts'
import { createDevLogin } from './login.ts'

export interface ServeInboxOptions extends Omit<InboxOptions, 'login'> {
  /** Whom the login links log in. */
  readonly person: string
  /** A loopback address. */
  readonly host: string
  /** 0 for a free one. */
  readonly port: number
}

export interface ServedInbox {
  readonly url: string
  /** Another one-time login link; valid for 24 hours. */
  readonly newLink: () => string
  /** Stops listening and drops open connections. */
  readonly close: () => Promise<void>
}

/** Listens when it resolves. @throws Error, one sentence: off loopback, or when the address cannot be listened on */
export async function serveInbox({ person, host, port, ...options }: ServeInboxOptions): Promise<ServedInbox> {
  const login = createDevLogin({ person, bindHost: host })
  const inbox = createInbox({ ...options, login })
  const listener = getRequestListener(inbox.fetch)
  const server = createServer((request, response) => void listener(request, response)) // answers its own faults
  server.listen(port, host)
  await once(server, 'listening').catch((cause: unknown) => { throw new Error(cannotListen(host, port, cause), { cause }) })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the inbox listens on no port')
  login.listensOn(address.port)
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    newLink: login.newLink,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function cannotListen(host: string, port: number, cause: unknown): string {
  const code: unknown = cause instanceof Error ? Reflect.get(cause, 'code') : undefined
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} of ${host} is taken by another program (EADDRINUSE); stop that, or choose another port`
    case 'EACCES':
      return `this user may not listen on port ${port} (EACCES); choose one above 1023`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is no address of this machine (${code})`
    default:
      return `the inbox cannot listen on port ${port} of ${host}: ${cause instanceof Error ? cause.message : String(cause)}`
  }
}
