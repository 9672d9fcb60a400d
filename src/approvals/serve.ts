/** The human-facing service as a process: inbox, signing, relay. Alone with the private key and the reviewer login. */
import { Client, Connection } from '@temporalio/client'
import type { JWK } from 'jose'
import { openPool } from '../postgres/connect.ts'
import { parseDatabaseUrl, requireLogin } from '../postgres/database-fault.ts'
import { createReviewStore } from '../postgres/review-store.ts'
import { startRelay } from './relay.ts'
import { createDesk } from './review.ts'
import { serveInbox, type ServedInbox } from './serve-inbox.ts'
import { createReviewSigner } from './signing.ts'

export interface ServeOptions {
  readonly temporalAddress: string
  readonly namespace: string
  /** Postgres, as the `kiff_reviewer` login. */
  readonly databaseUrl: string
  /** Private Ed25519 JWK with a `kid`. */
  readonly reviewKey: JWK
  readonly host: string
  /** 0 for a free one. */
  readonly port: number
  /** Whom development login links log in. */
  readonly person: string
  readonly temporalUi?: string | undefined
  /** A server that is down, a workflow that has ended: told once for each different message. */
  readonly onFault: (message: string) => void
}

/**
 * Serves until closed. Temporal may be down: reviews are recorded, and delivered when it is back.
 * @throws Error, one sentence, having started nothing: the database does not answer or lets in another login than
 * `kiff_reviewer`, the key is no private review key, the address cannot be listened on
 */
export async function serveApprovals(options: ServeOptions): Promise<ServedInbox> {
  parseDatabaseUrl("the reviewer's database URL", options.databaseUrl)
  const sign = await createReviewSigner(options.reviewKey)
  const pool = openPool(options.databaseUrl, { name: 'kiff-approvals' })
  try {
    await requireLogin(pool, 'reviewer', options.databaseUrl)
    const store = createReviewStore(pool)
    const { host, port, person, temporalUi } = options
    const inbox = await serveInbox({ desk: createDesk(store, sign), person, host, port, ...(temporalUi === undefined ? {} : { temporalUi }) })
    // Last: from here on it goes on until it is stopped.
    const connection = Connection.lazy({ address: options.temporalAddress })
    const relay = startRelay({ store, client: new Client({ connection, namespace: options.namespace }), onFault: onceEach(options.onFault) })
    return {
      ...inbox,
      async close() {
        await inbox.close()
        await relay.stop()
        await connection.close()
        await pool.end()
      },
    }
  } catch (error) {
    await pool.end()
    throw error
  }
}

function onceEach(tell: (message: string) => void): (fault: unknown) => void {
  const told = new Set<string>()
  return (fault) => {
    const message = fault instanceof Error ? fault.message : String(fault)
    if (told.has(message)) return
    told.add(message)
    tell(message)
  }
}
