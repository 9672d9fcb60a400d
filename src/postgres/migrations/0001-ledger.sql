-- Chains and the ledger: one row for each commit, hashed here, never rewritten.
-- Run as kiff_owner, in a transaction, by src/postgres/migrate.ts.

create schema kiff;
revoke all on schema public from public;
grant usage on schema kiff to kiff_gate, kiff_reviewer, kiff_auditor, kiff_definer;

-- One hash chain an entity, one a run chain (for what concerns no entity), one a domain's roles.
create table kiff.chains (
  chain bigint generated always as identity primary key,
  kind text not null check (kind in ('entity', 'run', 'roles')),
  key text not null check (key !~ '[[:cntrl:]]'),
  seq bigint not null default 0,
  head bytea not null default ''::bytea,
  unique (kind, key)
) with (fillfactor = 70);

-- The state events have led to. `state_version` moves only when an event is folded; `chains.seq` with every ledger row.
create table kiff.entities (
  chain bigint primary key references kiff.chains,
  domain text not null,
  entity_type text not null,
  entity_id text not null,
  state text not null,
  state_version bigint not null check (state_version > 0),
  unique (domain, entity_type, entity_id)
) with (fillfactor = 70);

create table kiff.ledger (
  chain bigint not null references kiff.chains,
  seq bigint not null check (seq > 0),
  at timestamptz not null,
  body text not null,
  digest bytea not null,
  prev bytea not null,
  hash bytea not null,
  kind text not null generated always as ((body::jsonb) ->> 'kind') stored,
  run_id text generated always as ((body::jsonb) ->> 'run_id') stored,
  activity_id text generated always as ((body::jsonb) ->> 'activity_id') stored,
  approval_id text generated always as ((body::jsonb) ->> 'approval_id') stored,
  execution_key text generated always as ((body::jsonb) ->> 'execution_key') stored,
  entity_id text generated always as ((body::jsonb) ->> 'entity_id') stored,
  trace_id text generated always as ((body::jsonb) ->> 'trace_id') stored,
  correlation_id text generated always as ((body::jsonb) ->> 'correlation_id') stored,
  primary key (chain, seq)
);
create index on kiff.ledger (run_id, activity_id);
create index on kiff.ledger (approval_id) where approval_id is not null;
create index on kiff.ledger (execution_key) where execution_key is not null;
create index on kiff.ledger (entity_id);
create index on kiff.ledger (trace_id);
create index on kiff.ledger (correlation_id);

-- An event id is used once an entity.
create table kiff.event_ids (
  chain bigint not null references kiff.chains,
  event_id text not null,
  event_type text not null,
  seq bigint not null,
  content bytea not null,
  primary key (chain, event_id)
);
create index on kiff.event_ids (chain, event_type, seq);

create function kiff.refuse_rewrite() returns trigger
language plpgsql as $$
begin
  raise exception 'kiff.% is append-only: % refused', tg_table_name, tg_op using errcode = 'insufficient_privilege';
end $$;

create trigger append_only before update or delete on kiff.ledger for each row execute function kiff.refuse_rewrite();
create trigger no_truncate before truncate on kiff.ledger execute function kiff.refuse_rewrite();
create trigger append_only before update or delete on kiff.event_ids for each row execute function kiff.refuse_rewrite();
create trigger no_truncate before truncate on kiff.event_ids execute function kiff.refuse_rewrite();

-- hash = SHA-256 over six lines: the hash before (hex, empty at the start), chain kind, chain key, seq, time (UTC, microseconds),
-- SHA-256 of the body (hex). Anyone can recompute it in any language.
create function kiff.link(p_prev bytea, p_kind text, p_key text, p_seq bigint, p_at timestamptz, p_digest bytea) returns bytea
language sql stable as $$
  select sha256(convert_to(concat_ws(e'\n', encode(p_prev, 'hex'), p_kind, p_key, p_seq::text,
    to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), encode(p_digest, 'hex')), 'UTF8'))
$$;

-- Locks a chain for the rest of the transaction, making it if need be. Every other lock is taken after this one.
create function kiff.lock_chain(p_kind text, p_key text) returns bigint
language plpgsql as $$
declare v_chain bigint;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'kiff functions need READ COMMITTED: guards re-read what other transactions have committed';
  end if;
  select chain into v_chain from kiff.chains where kind = p_kind and key = p_key for update;
  if v_chain is null then
    insert into kiff.chains (kind, key) values (p_kind, p_key) on conflict (kind, key) do nothing;
    select chain into v_chain from kiff.chains where kind = p_kind and key = p_key for update;
  end if;
  return v_chain;
end $$;

create function kiff.entity_key(p_domain text, p_type text, p_id text) returns text
language sql immutable as $$ select p_domain || '/' || p_type || '/' || p_id $$;

create function kiff.run_key(p_namespace text, p_first_run text, p_workflow text) returns text
language sql immutable as $$ select p_namespace || '/' || p_first_run || '/' || p_workflow $$;

-- The chain a row belongs to: its entity's, where the entity exists; else the run chain's own. Locked. Something that we keep no
-- state of exists from the first time that something is done, or asked, about it.
create function kiff.lock_chain_of(b jsonb) returns bigint
language plpgsql as $$
declare v_key text := kiff.entity_key(b ->> 'domain', b ->> 'entity_type', b ->> 'entity_id');
begin
  if exists (select from kiff.entities where domain = b ->> 'domain' and entity_type = b ->> 'entity_type' and entity_id = b ->> 'entity_id')
    or exists (select from kiff.stateless where domain = b ->> 'domain' and entity_type = b ->> 'entity_type')
      and (b ->> 'kind' in ('approval_requested', 'opened', 'executed') or exists (select from kiff.chains where kind = 'entity' and key = v_key)) then
    return kiff.lock_chain('entity', v_key);
  end if;
  return kiff.lock_chain('run', kiff.run_key(b ->> 'namespace', b ->> 'first_execution_run_id', b ->> 'workflow_id'));
end $$;

-- Appends one row to a locked chain. Returns its reference as it is handed to the workflow. `p_kinds`: what the function that
-- appends may say; that a person has reviewed, only the one that recorded it can (I4).
create function kiff.append(p_chain bigint, p_body text, p_kinds text[]) returns jsonb
language plpgsql as $$
declare
  b jsonb := p_body::jsonb;
  c kiff.chains;
  v_at timestamptz := clock_timestamp();
  v_digest bytea := sha256(convert_to(p_body, 'UTF8'));
  v_hash bytea;
begin
  if coalesce(b ->> 'kind' <> all (p_kinds), true) then
    raise exception 'a row of kind % is not recorded here, but %', b ->> 'kind', array_to_string(p_kinds, ', ') using errcode = 'check_violation';
  end if;
  if b ->> 'kind' <> 'reviewed' and b @? '$.audit[*] ? (@.kind == "approval_granted" || @.kind == "approval_denied")' then
    raise exception 'only a recorded review grants or denies' using errcode = 'check_violation';
  end if;
  if b ->> 'kind' <> 'reconciled' and b @? '$.audit[*] ? (@.kind == "action_reconciled")' then
    raise exception 'only a recorded reconciliation says what a person has found out' using errcode = 'check_violation';
  end if;
  select * into strict c from kiff.chains where chain = p_chain for update;
  v_hash := kiff.link(c.head, c.kind, c.key, c.seq + 1, v_at, v_digest);
  insert into kiff.ledger (chain, seq, at, body, digest, prev, hash) values (p_chain, c.seq + 1, v_at, p_body, v_digest, c.head, v_hash);
  update kiff.chains set seq = c.seq + 1, head = v_hash where chain = p_chain;
  return jsonb_build_object('chain', c.key, 'seq', c.seq + 1, 'hash', encode(v_hash, 'hex'));
end $$;
