/** Chains and their rows, as `0001-ledger.sql` has them: hashed here, never rewritten. */
import { sha256 } from '../../core/digest.ts'
import type { RowKind } from '../../core/ledger-row.ts'
import type { RecordRef } from '../../core/outcome.ts'
import { parseBody, timeOf, type Body } from './body.ts'
import { StoreError, type Chain, type ChainKind, type Transaction } from './tables.ts'

/** The chain of this kind and key; made if need be. @throws StoreError 23514 for a key with a control character: the hash is made of lines */
export function lockChain(tx: Transaction, kind: ChainKind, key: string): number {
  const known = tx.chains.get(kind, key)
  if (known !== undefined) return known.chain
  if (/\p{Cc}/u.test(key)) throw new StoreError('23514', `the key of a chain has no control characters: ${JSON.stringify(key)}`)
  const chain = tx.chains.all().length + 1
  tx.chains.insert({ chain, kind, key, seq: 0, head: '' })
  return chain
}

export function entityKey({ domain, entity_type: type, entity_id: id }: Pick<Body, 'domain' | 'entity_type' | 'entity_id'>): string {
  return `${domain}/${type}/${id}`
}

/**
 * The chain a row belongs to: its entity's, where the entity exists; else the run chain's own. Something that we keep no state of
 * exists from the first time that something is done, or asked, about it.
 */
export function lockChainOf(tx: Transaction, b: Body): number {
  const key = entityKey(b)
  const chain = tx.chains.get('entity', key)
  const exists = chain !== undefined && tx.entities.get(chain.chain) !== undefined
  const stateless = tx.stateless.get(b.domain, b.entity_type) !== undefined
  const begins = b.kind === 'approval_requested' || b.kind === 'opened' || b.kind === 'executed'
  if (exists || (stateless && (begins || chain !== undefined))) return lockChain(tx, 'entity', key)
  const parts = [b.namespace, b.first_execution_run_id, b.workflow_id]
  if (parts.some((part) => part === null || part === undefined)) throw new StoreError('23502', 'a row that is about no entity names its run chain')
  return lockChain(tx, 'run', parts.join('/'))
}

export function chainById(tx: Transaction, chain: number): Chain {
  const found = tx.chains.all().find((each) => each.chain === chain)
  if (found === undefined) throw new StoreError('P0002', `there is no chain ${chain}`)
  return found
}

/**
 * Appends one row to a chain. @returns its reference, as it is handed to the workflow
 * @throws StoreError 23514 for a kind that is not among `kinds`, and for a verdict that no recorded review gave (I4)
 */
export function append(tx: Transaction, chain: number, text: string, kinds: readonly (RowKind | 'role_granted' | 'role_revoked')[]): RecordRef {
  const b = parseBody(text)
  if (!kinds.some((kind) => kind === b.kind)) throw new StoreError('23514', `a row of kind ${b.kind} is not recorded here, but ${kinds.join(', ')}`)
  if (b.kind !== 'reviewed' && (b.audit ?? []).some(({ kind }) => kind === 'approval_granted' || kind === 'approval_denied')) {
    throw new StoreError('23514', 'only a recorded review grants or denies')
  }
  if (b.kind !== 'reconciled' && (b.audit ?? []).some(({ kind }) => kind === 'action_reconciled')) {
    throw new StoreError('23514', 'only a recorded reconciliation says what a person has found out')
  }
  const c = chainById(tx, chain)
  const seq = c.seq + 1
  const digest = sha256(text)
  const hash = sha256([c.head, c.kind, c.key, seq, timeOf(tx.now), digest].join('\n'))
  tx.ledger.insert({ chain, seq, at: tx.now, body: text, digest, prev: c.head, hash })
  tx.chains.put({ ...c, seq, head: hash })
  return { chain: c.key, seq, hash }
}

export function recordRef(tx: Transaction, chain: number, seq: number): RecordRef {
  const row = tx.ledger.get(chain, seq)
  if (row === undefined) throw new StoreError('P0002', `there is no row ${seq} in chain ${chain}`)
  return { chain: chainById(tx, chain).key, seq, hash: row.hash }
}
