/** The ledger in SQL: chains, rows that are never rewritten, their hashes, and which chain a row belongs to. */
import { guardsOf, secondLinesOf } from '../sql-guard.ts'

const recomputed = 'can be recomputed from its rows'
const evidence = ['ledger', 'event_ids'] as const

export const sqlLedger = guardsOf('0001-ledger', [
  ['public-schema-closed', 'anybody using the schema public', 'revoke all on schema public from public;', '', 'logins', 'the public has nothing'],
  ['chain-kind', 'a chain of a kind that there is not', "kind text not null check (kind in ('entity', 'run', 'roles'))", 'kind text not null', 'constraints', 'a chain of another kind'],
  ['chain-key-one-line', 'a key that forges lines of the hashed text', "check (key !~ '[[:cntrl:]]')", '', 'lastGuards', 'a chain key with a line break'],
  ['chain-key-there', 'a row on the chain of nobody', 'key text not null check', 'key text check', 'chain', 'nowhere, when it does not say of which call it is: workflow_id'],
  ['entity-once', 'two states of one entity', 'state_version bigint not null check (state_version > 0),\n  unique (domain, entity_type, entity_id)', 'state_version bigint not null check (state_version > 0)', 'constraints', 'a second state of an entity'],
  ['entity-version-positive', 'a state that no event has led to', 'check (state_version > 0)', '', 'constraints', 'a state that no event has led to'],
  ['entity-of-chain', 'a state without a chain', 'chain bigint primary key references kiff.chains,', 'chain bigint primary key,', 'constraints', 'a state of no chain'],
  ['ledger-of-chain', 'a row of no chain', 'chain bigint not null references kiff.chains,\n  seq bigint not null check (seq > 0),', 'chain bigint not null,\n  seq bigint not null check (seq > 0),', 'constraints', 'a row of no chain'],
  ['ledger-seq-positive', 'a row before the first', 'check (seq > 0)', '', 'constraints', 'a row before the first'],
  ...evidence.flatMap((table) => [
    [`${table.replace('_', '-')}-no-update`, `a row of ${table} altered`, `before update or delete on kiff.${table} `, `before delete on kiff.${table} `, 'logins', `${table}: no row can be updated or deleted, nor all of them`],
    [`${table.replace('_', '-')}-no-delete`, `a row of ${table} deleted`, `before update or delete on kiff.${table} `, `before update on kiff.${table} `, 'logins', `${table}: no row can be updated or deleted, nor all of them`],
    [`${table.replace('_', '-')}-no-truncate`, `all rows of ${table} deleted at once`, `create trigger no_truncate before truncate on kiff.${table} execute function kiff.refuse_rewrite();`, '', 'logins', `${table}: no row can be updated or deleted, nor all of them`],
  ] as const),
  ['rewrite-refused-aloud', 'a rewrite that seems to be done', "raise exception 'kiff.% is append-only: % refused', tg_table_name, tg_op using errcode = 'insufficient_privilege';", 'return null;', 'logins', 'ledger: no row can be updated or deleted, nor all of them'],
  ['hash-of-prev', 'rows reordered, or one left out', "encode(p_prev, 'hex'), p_kind", "'', p_kind", 'chain', recomputed],
  ['hash-of-kind', 'a row moved to a chain of another kind', "'hex'), p_kind, p_key", "'hex'), '', p_key", 'chain', recomputed],
  ['hash-of-key', 'a row moved to another chain', 'p_kind, p_key, p_seq::text', "p_kind, '', p_seq::text", 'chain', recomputed],
  ['hash-of-seq', 'a row renumbered', 'p_key, p_seq::text', "p_key, ''", 'chain', recomputed],
  ['hash-of-time', 'a row dated otherwise', `to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`, "''", 'chain', recomputed],
  ['hash-of-body', 'a body altered', "encode(p_digest, 'hex')), 'UTF8'))", "''), 'UTF8'))", 'chain', recomputed],
  ['digest-of-body', 'a digest that is not the body\'s', "v_digest bytea := sha256(convert_to(p_body, 'UTF8'))", "v_digest bytea := sha256(convert_to(b::text, 'UTF8'))", 'chain', recomputed],
  ['read-committed', 'guards that do not see what others have committed', "if current_setting('transaction_isolation') <> 'read committed' then", 'if false then', 'intact', 'a transaction that would not see what others commit is refused'],
  ['chain-locked-first', 'two commits about one entity that judge by the same state', 'for update;\n  if v_chain is null then', ';\n  if v_chain is null then', 'races', 'five retries of one call'],
  ['chain-locked-when-new', 'two first commits about something that judge by the same nothing', 'for update;\n  end if;\n  return v_chain;', ';\n  end if;\n  return v_chain;', 'locks', 'on a chain that somebody is just making'],
  ['chain-lock-by-kind', 'an entity\'s rows on the chain of a run, or of roles, that is named alike', 'where kind = p_kind and key = p_key for update;\n  if', 'where key = p_key for update;\n  if', 'rows', 'and to that of no run which is named as the entity'],
  ['new-chain-lock-by-kind', 'a new chain taken for another that is named alike', 'where kind = p_kind and key = p_key for update;\n  end if;', 'where key = p_key for update;\n  end if;', 'rows', 'and to that of no run which is named as the entity'],
  ['row-of-its-entity', 'a row about an entity on the chain of another with that id', "where domain = b ->> 'domain' and entity_type = b ->> 'entity_type' and entity_id = b ->> 'entity_id')", "where domain = b ->> 'domain' and entity_id = b ->> 'entity_id')", 'rows', 'and to that of no entity of another kind with its id'],
  ['row-of-its-domain', 'a row about an entity on the chain of another domain\'s', "kiff.entities where domain = b ->> 'domain' and", 'kiff.entities where', 'otherDomains', 'of another domain with the same id is another'],
  ['row-of-entity-that-exists', 'an entity made by being refused', "b ->> 'entity_type' and entity_id = b ->> 'entity_id')", "b ->> 'entity_type')", 'rows', 'and to that of the run where its entity does not exist'],
  ['stateless-by-type', 'an entity that we keep state of taken for one that we keep none of', "kiff.stateless where domain = b ->> 'domain' and entity_type = b ->> 'entity_type')\n      and", "kiff.stateless where domain = b ->> 'domain')\n      and", 'rows', 'and to that of the run where its entity does not exist'],
  ['stateless-by-domain', 'something taken for what another domain keeps no state of', "kiff.stateless where domain = b ->> 'domain' and entity_type = b ->> 'entity_type')\n      and", "kiff.stateless where entity_type = b ->> 'entity_type')\n      and", 'otherDomains', 'that only the other domain keeps no state of'],
  ['stateless-made-by-doing', 'something that exists since somebody was refused', "and (b ->> 'kind' in ('approval_requested', 'opened', 'executed') or", 'and (true or', 'permits', 'exists from the first time'],
  ['stateless-made-by-asking', 'a question about something on the chain of a run, where its answer is not found', "('approval_requested', 'opened'", "('opened'", 'otherDomains', 'that we keep no state of has its chain'],
  ['stateless-made-by-opening', 'something that is done twice at once, by two runs', "'approval_requested', 'opened', 'executed'", "'approval_requested', 'executed'", 'permits', 'exists from the first time'],
  ['stateless-made-by-executing', 'something done that its entity does not know of', "'opened', 'executed') or", "'opened') or", 'rows', 'from the first time that something is done to it at once'],
  ['stateless-known-stays', 'a refusal hidden from the chain of what it is about', "or exists (select from kiff.chains where kind = 'entity' and key = v_key))", ')', 'permits', 'exists from the first time'],
  ['stateless-known-as-entity', 'a run taken for an entity that is named alike', "kiff.chains where kind = 'entity' and key = v_key", 'kiff.chains where key = v_key', 'rows', 'not to its own because a run is named so'],
  ['row-kind', 'a function that records what only another may', "if coalesce(b ->> 'kind' <> all (p_kinds), true) then", 'if false then', 'rows', 'recordAnswer writes no review, and no reconciliation'],
  ['row-kind-said', 'a row of no kind', "coalesce(b ->> 'kind' <> all (p_kinds), true)", "coalesce(b ->> 'kind' <> all (p_kinds), false)", 'rows', 'also one of no kind'],
  ['audit-granted', 'an audit record of a grant that no review is', '@.kind == "approval_granted" || ', '', 'rows', 'also one that says by the way: approval_granted'],
  ['audit-denied', 'an audit record of a denial that no review is', ' || @.kind == "approval_denied"', '', 'rows', 'also one that says by the way: approval_denied'],
  ['audit-reconciled', 'an audit record of a reconciliation that is none', `'$.audit[*] ? (@.kind == "action_reconciled")'`, `'$.audit[*] ? (@.kind == "nothing")'`, 'rows', 'also one that says by the way: action_reconciled'],
  ['time-of-row', 'a row dated by its writer\'s transaction, before those it waited for', 'v_at timestamptz := clock_timestamp()', 'v_at timestamptz := now()', 'constraints', 'a row is dated when it is written'],
])

export const secondLines = secondLinesOf('0001-ledger', [
  ['event-id-once', 'one event id used twice for an entity', '`sql-fold-own-place` and `sql-report-known`'],
  ['chain-once', 'two chains of one key', '`lock_chain`, which does not run without the index (`on conflict (kind, key)`)'],
  ['ledger-seq-once', 'two rows of one number', 'the lock on the chain; and `calls` refers to this key, so that the migration needs it'],
  ['event-ids-of-chain', 'an event id of no chain', 'the chain locked before'],
  ['append-locks-chain', 'two rows appended at once', 'the lock on the chain that every function takes first'],
  ['append-strict', 'a row appended to no chain', 'the reference from `ledger` to `chains`'],
  ['ledger-kind-there', 'a row of no kind', '`sql-row-kind-said`'],
])
