import { createServer } from 'node:net'

/**
 * A TCP port of 127.0.0.1 that nobody listens on: `preferred` when it is free, otherwise any.
 * It is not held: somebody else may take it before the caller does.
 */
export async function freePort(preferred = 0): Promise<number> {
  return (await probe(preferred)) ?? (await probe(0)) ?? Promise.reject(new Error('127.0.0.1 has no free port'))
}

function probe(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const bound = server.address()
      server.close(() => resolve(typeof bound === 'object' && bound !== null ? bound.port : undefined))
    })
  })
}
