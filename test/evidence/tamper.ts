/** What somebody could do to the records, who can do everything to Postgres, or edit a history file. */
import { historyFromJSON, historyToJSON, type History } from '@temporalio/common/lib/proto-utils.js'
import type { PoolClient } from 'pg'
import { transaction } from '../../src/postgres/connect.ts'
import { sha256 } from '../../src/core/digest.ts'
import type { Stack } from '../a-stack.ts'

const guarded = ['ledger', 'event_ids', 'reviews', 'reconciliations', 'consumptions']

/** Runs as the owner of the database, with the triggers off that make the ledger append-only; once more when a relay's look at the same tables was in its way. */
export async function asOwner(stack: Stack, work: (owner: PoolClient) => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transaction(stack.db.pool('owner'), async (owner) => {
        for (const table of guarded) await owner.query(`alter table kiff.${table} disable trigger user`)
        await work(owner)
        for (const table of guarded) await owner.query(`alter table kiff.${table} enable trigger user`)
      })
    } catch (error) {
      if (attempt === 5 || !isDeadlock(error)) throw error
    }
  }
}

function isDeadlock(error: unknown): boolean {
  return error instanceof Error && Reflect.get(error, 'code') === '40P01'
}

/** Alters rows by hand: `set` is SQL. */
export async function alterRow(stack: Stack, chain: string, seq: number, set: string): Promise<void> {
  await asOwner(stack, (owner) => owner.query(`update kiff.ledger l set ${set} from kiff.chains c where c.chain = l.chain and c.key = $1 and l.seq = $2`, [chain, seq]))
}

export async function deleteRow(stack: Stack, chain: string, seq: number): Promise<void> {
  await asOwner(stack, async (owner) => {
    await owner.query('alter table kiff.calls drop constraint if exists calls_chain_seq_fkey')
    await owner.query('delete from kiff.ledger l using kiff.chains c where c.chain = l.chain and c.key = $1 and l.seq = $2', [chain, seq])
  })
}

/** The careful forger: alters one body, then makes every digest, link, and head after it fit. */
export async function rewriteFrom(stack: Stack, chain: string, seq: number, alter: (body: string) => string): Promise<void> {
  await asOwner(stack, async (owner) => {
    const { rows } = await owner.query<{ chain: string; seq: string; body: string; kind: string; at: string }>(
      `select l.chain, l.seq, l.body, c.kind, to_char(l.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at
       from kiff.ledger l join kiff.chains c using (chain) where c.key = $1 order by l.seq`, [chain])
    let prev = ''
    for (const row of rows) {
      const body = Number(row.seq) === seq ? alter(row.body) : row.body
      const digest = sha256(body)
      const hash = sha256([prev, row.kind, chain, row.seq, row.at, digest].join('\n'))
      await owner.query(`update kiff.ledger set body = $3, digest = decode($4, 'hex'), prev = decode($5, 'hex'), hash = decode($6, 'hex') where chain = $1 and seq = $2`, [row.chain, row.seq, body, digest, prev, hash])
      prev = hash
    }
    await owner.query(`update kiff.chains set head = decode($2, 'hex') where key = $1`, [chain, prev])
  })
}

/** Appends rows as the ledger's own functions would; the chain is made if need be. */
export async function appendRows(stack: Stack, kind: string, key: string, bodies: readonly string[]): Promise<void> {
  await asOwner(stack, async (owner) => {
    await owner.query('insert into kiff.chains (kind, key) values ($1, $2) on conflict do nothing', [kind, key])
    const { rows } = await owner.query<{ chain: string; seq: string; head: string }>("select chain, seq, encode(head, 'hex') as head from kiff.chains where key = $1", [key])
    const [chain] = rows
    if (chain === undefined) throw new Error(`there is no chain ${key}`)
    const at = '2026-01-01T00:00:00.000001Z'
    let prev = chain.head
    const links = bodies.map((body, index) => {
      const link = { seq: Number(chain.seq) + index + 1, body, digest: sha256(body), prev }
      prev = sha256([prev, kind, key, String(link.seq), at, link.digest].join('\n'))
      return { ...link, hash: prev }
    })
    await owner.query(
      `insert into kiff.ledger (chain, seq, at, body, digest, prev, hash)
       select $1, seq, $2, body, decode(digest, 'hex'), decode(prev, 'hex'), decode(hash, 'hex')
       from jsonb_to_recordset($3) as r(seq bigint, body text, digest text, prev text, hash text)`, [chain.chain, at, JSON.stringify(links)])
    await owner.query("update kiff.chains set seq = seq + $2, head = decode($3, 'hex') where chain = $1", [chain.chain, bodies.length, prev])
  })
}

export interface JsonPayload {
  data: string
}

/** A history as its JSON, for editing. */
export interface JsonHistory {
  events: (Record<string, unknown> & {
    workflowExecutionStartedEventAttributes?: { parentWorkflowExecution?: { workflowId: string } }
    activityTaskScheduledEventAttributes?: { activityType: { name: string }; activityId: string; input: { payloads: JsonPayload[] } }
    activityTaskCompletedEventAttributes?: { result: { payloads: JsonPayload[] } }
  })[]
}

/** A copy of a history with one thing changed. */
export function edited(history: History, edit: (json: JsonHistory) => void): History {
  const json = JSON.parse(historyToJSON(history)) as JsonHistory
  edit(json)
  return historyFromJSON(json)
}

/** Changes the JSON inside a payload. */
export function inPayload(payload: JsonPayload | undefined, change: (text: string) => string): void {
  if (payload === undefined) throw new Error('there is no such payload')
  const before = Buffer.from(payload.data, 'base64').toString('utf8')
  const after = change(before)
  if (after === before) throw new Error('nothing was changed')
  payload.data = Buffer.from(after).toString('base64')
}

/** The governed activities, as scheduled, in order. */
export function governedEvents(json: JsonHistory): NonNullable<JsonHistory['events'][number]['activityTaskScheduledEventAttributes']>[] {
  return json.events.flatMap(({ activityTaskScheduledEventAttributes: scheduled }) => scheduled ?? [])
}

export function resultPayloads(json: JsonHistory): JsonPayload[] {
  return json.events.flatMap(({ activityTaskCompletedEventAttributes: completed }) => completed?.result.payloads ?? [])
}
