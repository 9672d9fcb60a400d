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

/** Listens when it resolves. @throws Error off loopback, and the listener's own error, as when the port is taken */
export async function serveInbox({ person, host, port, ...options }: ServeInboxOptions): Promise<ServedInbox> {
  const login = createDevLogin({ person, bindHost: host })
  const inbox = createInbox({ ...options, login })
  const listener = getRequestListener(inbox.fetch)
  const server = createServer((request, response) => void listener(request, response)) // answers its own faults
  server.listen(port, host)
  await once(server, 'listening')
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
