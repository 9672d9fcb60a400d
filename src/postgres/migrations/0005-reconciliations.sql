-- What a person has found out about an execution whose outcome nobody knew: it happened, with its output, or it did not. The
-- human-facing service records it, signed; the gate applies it. Neither can do the other's part (I4).

create table kiff.reconciliations (
  execution_key text not null,
  ordinal int not null,
  -- One that the gate could not apply is followed by another.
  round int not null check (round > 0),
  request text not null,
  digest bytea not null check (digest = sha256(convert_to(request, 'UTF8'))),
  verdict text not null check (verdict in ('happened', 'not_happened')),
  output jsonb check ((output is not null) = (verdict = 'happened')),
  reviewer text not null,
  reason text not null check (reason <> ''),
  jws text not null,
  -- The ledger row that records it.
  seq bigint not null,
  at timestamptz not null default clock_timestamp(),
  primary key (execution_key, ordinal, round),
  foreign key (execution_key, ordinal) references kiff.executions
);
create trigger append_only before update or delete on kiff.reconciliations for each row execute function kiff.refuse_rewrite();
create trigger no_truncate before truncate on kiff.reconciliations execute function kiff.refuse_rewrite();

create function kiff.is_in_doubt(e kiff.executions) returns boolean
language sql immutable as $$ select coalesce(e.status = 'in_doubt' or e.completion_rejected is not null, false) $$;

create function kiff.reconcilers_of(e kiff.executions) returns text
language sql stable as $$
  select reconcilers from kiff.contracts where domain = e.opened ->> 'domain' and action = e.opened ->> 'action' and hash = e.opened ->> 'contract'
$$;

-- Whoever may say what became of it: holds the permission, is not known to be no person, and neither proposed it nor is acted for.
create function kiff.may_reconcile(e kiff.executions, p_actor text) returns text
language sql stable as $$
  select case
    when not coalesce(kiff.may_review(e.opened ->> 'domain', p_actor, kiff.reconcilers_of(e)), false) then 'permission_denied'
    when p_actor is null or p_actor = e.opened ->> 'actor' or p_actor = e.opened ->> 'on_behalf_of' then 'self_review'
    else 'permitted' end
$$;

-- What a person is shown, and signs the digest of: all of it from what was recorded when it was opened, and when it came to be in doubt.
create function kiff.reconciliation_request(e kiff.executions) returns text
language sql stable as $$
  select jsonb_build_object('format', 1, 'namespace', e.opened -> 'namespace', 'workflow_id', e.opened -> 'workflow_id',
    'first_execution_run_id', e.opened -> 'first_execution_run_id', 'domain', e.opened -> 'domain', 'contract', e.opened -> 'contract',
    'entity_type', e.opened -> 'entity_type', 'entity_id', e.opened -> 'entity_id', 'state', e.opened -> 'state', 'action', e.opened -> 'action',
    'params', e.opened -> 'params', 'facts', coalesce(e.opened -> 'facts', '{}'), 'actor', e.opened -> 'actor', 'on_behalf_of', e.opened -> 'on_behalf_of',
    'execution_key', e.execution_key, 'ordinal', e.ordinal,
    'opened', c.key || '#' || e.opened_seq, 'opened_at', to_char(o.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'doubt', case when e.completion_rejected is null then 'in_doubt' else 'completion_rejected' end,
    'why', d.body::jsonb #>> '{audit,0,data,error}', 'since', to_char(d.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'returned', d.body::jsonb -> 'output',
    'reconcilers', kiff.reconcilers_of(e),
    'summary', (select a.request::jsonb -> 'summary' from kiff.approvals a where a.approval_id::text = e.opened ->> 'approval_id'))::text
  from kiff.chains c join kiff.ledger o on o.chain = c.chain and o.seq = e.opened_seq
    left join kiff.ledger d on d.chain = c.chain and d.seq = case when e.completion_rejected is not null then e.closed_seq else coalesce(e.contradicted_seq,
      (select max(seq) from kiff.ledger where chain = e.chain and execution_key = e.execution_key and kind = 'in_doubt' and seq > e.opened_seq)) end
  where c.chain = e.chain
$$;

-- An execution in doubt, or one that was; `null` for every other.
create function kiff.show_in_doubt(p_key text, p_ordinal int) returns jsonb
language sql stable security definer set search_path = kiff, pg_temp as $$
  select jsonb_build_object('request', case when is_in_doubt(e) then reconciliation_request(e) else last.request end,
    'status', case when e.completion_rejected is null then e.status else 'completion_rejected' end,
    'waiting', e.reconciling is not null, 'rejected', e.reconciliation_rejected, 'contradicted', e.contradicted_seq is not null,
    'reconciliations', (select coalesce(jsonb_agg(jsonb_build_object('round', r.round, 'verdict', r.verdict, 'output', r.output, 'reviewer', r.reviewer, 'reason', r.reason,
      'at', to_char(r.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by r.round), '[]')
      from reconciliations r where r.execution_key = e.execution_key and r.ordinal = e.ordinal))
  from executions e left join lateral (select request from reconciliations r where r.execution_key = e.execution_key and r.ordinal = e.ordinal order by round desc limit 1) last on true
  where e.execution_key = p_key and e.ordinal = p_ordinal and (is_in_doubt(e) or last.request is not null)
$$;

-- Those that hold their entity; and for a month those that turned out to have happened when something else had been tried already.
create function kiff.list_in_doubt() returns setof jsonb
language sql stable security definer set search_path = kiff, pg_temp as $$
  select jsonb_build_object('execution_key', e.execution_key, 'ordinal', e.ordinal, 'domain', opened ->> 'domain', 'entity_type', opened ->> 'entity_type', 'entity_id', opened ->> 'entity_id',
    'action', opened ->> 'action', 'workflow_id', opened ->> 'workflow_id',
    'status', case when is_in_doubt(e) then coalesce(completion_rejected, status) else 'contradicted' end, 'waiting', e.reconciling is not null,
    'since', to_char(l.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
  from executions e join ledger l on l.chain = e.chain and l.seq = coalesce(e.contradicted_seq, e.opened_seq)
  where e.status = 'in_doubt' or e.completion_rejected is not null or e.contradicted_seq is not null and e.status = 'failed' and l.at > clock_timestamp() - interval '30 days'
  order by l.at
$$;

-- Locks the chain of an execution, then the execution.
create function kiff.lock_execution(p_key text, p_ordinal int) returns kiff.executions
language plpgsql as $$
declare e kiff.executions; v_chain bigint;
begin
  select chain into v_chain from kiff.executions where execution_key = p_key and ordinal = p_ordinal;
  perform from kiff.chains where chain = v_chain for update;
  select * into e from kiff.executions where execution_key = p_key and ordinal = p_ordinal for update;
  return e;
end $$;

-- Records what a person has found out: row and ledger row in this one commit. The digest is recomputed here, under the lock.
create function kiff.record_reconciliation(p_body text, p_jws text) returns jsonb
language plpgsql security definer set search_path = kiff, pg_temp as $$
declare
  b jsonb := p_body::jsonb;
  v_said jsonb := b -> 'review';
  e executions := lock_execution(v_said ->> 'execution_key', (v_said ->> 'ordinal')::int);
  v_request text;
  v_refused text;
  v_record jsonb;
  v_round int;
begin
  if e.execution_key is null then return '{"status":"refused","reason":"not_found"}'; end if;
  if v_said ->> 'jws_sha256' is distinct from encode(sha256(convert_to(p_jws, 'UTF8')), 'hex') then
    raise exception 'the row does not hold the hash of this signature' using errcode = 'check_violation';
  end if;
  v_request := reconciliation_request(e);
  v_refused := case
    when e.reconciling is not null then 'already_reconciled'
    when not is_in_doubt(e) then 'closed'
    when encode(sha256(convert_to(v_request, 'UTF8')), 'hex') is distinct from v_said ->> 'digest' then 'closed'
    else nullif(may_reconcile(e, v_said ->> 'reviewer'), 'permitted')
  end;
  if v_refused is not null then return jsonb_build_object('status', 'refused', 'reason', v_refused); end if;
  v_record := append(e.chain, p_body, '{reconciled}');
  select coalesce(max(round), 0) + 1 into v_round from reconciliations where execution_key = e.execution_key and ordinal = e.ordinal;
  insert into reconciliations (execution_key, ordinal, round, request, digest, verdict, output, reviewer, reason, jws, seq)
    values (e.execution_key, e.ordinal, v_round, v_request, sha256(convert_to(v_request, 'UTF8')), v_said ->> 'verdict', v_said -> 'output',
      v_said ->> 'reviewer', v_said ->> 'reason', p_jws, (v_record ->> 'seq')::bigint);
  update executions set reconciling = v_round, reconciliation_rejected = null where execution_key = e.execution_key and ordinal = e.ordinal;
  return jsonb_build_object('status', 'committed', 'record', v_record);
end $$;

-- One that was refused is a fact too. Writes on the execution's chain.
create function kiff.record_refused_reconciliation(p_body text) returns void
language plpgsql security definer set search_path = kiff, pg_temp as $$
declare v_said jsonb := p_body::jsonb -> 'review'; e executions := lock_execution(v_said ->> 'execution_key', (v_said ->> 'ordinal')::int);
begin
  if e.execution_key is null then return; end if;
  perform append(e.chain, p_body, '{reconciliation_refused}');
end $$;

-- From here on, the gate's part.

create function kiff.due_reconciliations(p_domain text) returns setof jsonb
language sql stable security definer set search_path = kiff, pg_temp as $$
  select jsonb_build_object('executionKey', e.execution_key, 'ordinal', e.ordinal, 'round', r.round, 'request', r.request, 'verdict', r.verdict, 'reviewer', r.reviewer, 'jws', r.jws,
    'opened', e.opened, 'newest', (select k.hash from contracts k where k.domain = e.opened ->> 'domain' and k.action = e.opened ->> 'action' and k.newest),
    'record', c.key || '#' || r.seq)
  from executions e join reconciliations r on r.execution_key = e.execution_key and r.ordinal = e.ordinal and r.round = e.reconciling join chains c on c.chain = e.chain
  where e.opened ->> 'domain' = p_domain and e.reconciling is not null order by r.at limit 500
$$;

-- What the row says is what was opened, by the very contract, and names the reconciliation as its cause.
create function kiff.fits_reconciliation(e kiff.executions, r kiff.reconciliations, b jsonb) returns boolean
language sql stable as $$
  select kiff.is_about(e, b) and kiff.says_the_same(e.opened, b, '{namespace,workflow_id,first_execution_run_id,contract}') and b ->> 'causation_id' = c.key || '#' || r.seq
  from kiff.chains c where c.chain = e.chain
$$;

-- Ends an execution as a person has said. `refused`: it is no longer what was signed, or whoever signed may no longer.
create function kiff.apply_reconciliation(p_body text, p_key text, p_ordinal int, p_round int, p_answer jsonb) returns jsonb
language plpgsql security definer set search_path = kiff, pg_temp as $$
declare b jsonb := p_body::jsonb; e executions := lock_execution(p_key, p_ordinal); r reconciliations; v_record jsonb;
begin
  if e.reconciling is distinct from p_round or p_round is null then return '{"status":"stale"}'; end if;
  select * into strict r from reconciliations where execution_key = p_key and ordinal = p_ordinal and round = p_round;
  if not is_in_doubt(e) or r.request is distinct from reconciliation_request(e) then return '{"status":"refused","reason":"it is no longer what was signed"}'; end if;
  if may_reconcile(e, r.reviewer) <> 'permitted' then return '{"status":"refused","reason":"whoever signed may no longer"}'; end if;
  if not fits_reconciliation(e, r, b) or b -> 'output' is distinct from r.output then
    raise exception 'the row is not what was opened and reconciled' using errcode = 'check_violation';
  end if;
  v_record := append(e.chain, p_body, array[case r.verdict when 'happened' then 'executed' else 'failed' end]);
  if r.verdict = 'happened' then perform fold_events(e.chain, b, (v_record ->> 'seq')::bigint); end if;
  update executions set status = case r.verdict when 'happened' then 'succeeded' else 'failed' end, completion_rejected = null, reconciling = null,
    reconciliation_rejected = null, closed_seq = (v_record ->> 'seq')::bigint, answer = p_answer
  where execution_key = p_key and ordinal = p_ordinal;
  return jsonb_build_object('status', 'committed', 'record', v_record);
end $$;

-- It cannot be applied, and says why; a person may answer anew.
create function kiff.reject_reconciliation(p_body text, p_key text, p_ordinal int, p_round int, p_why text) returns jsonb
language plpgsql security definer set search_path = kiff, pg_temp as $$
declare b jsonb := p_body::jsonb; e executions := lock_execution(p_key, p_ordinal); v_record jsonb;
begin
  if e.reconciling is distinct from p_round or p_round is null or not is_about(e, b) then return '{"status":"stale"}'; end if;
  v_record := append(e.chain, p_body, '{reconciliation_rejected}');
  update executions set reconciling = null, reconciliation_rejected = p_why where execution_key = p_key and ordinal = p_ordinal;
  return jsonb_build_object('status', 'committed', 'record', v_record);
end $$;

-- It happened after all, though a person had found, or the executor had said, that it had not. Nobody knows again, where nothing was
-- done since; else the row alone tells of it.
create function kiff.record_contradiction(p_body text, p_key text, p_ordinal int) returns jsonb
language plpgsql security definer set search_path = kiff, pg_temp as $$
declare b jsonb := p_body::jsonb; e executions := lock_execution(p_key, p_ordinal); v_record jsonb; v_again boolean;
begin
  if e.status is distinct from 'failed' or e.contradicted_seq is not null or not is_about(e, b) then return '{"status":"stale"}'; end if;
  v_again := not entity_is_held(e.chain) and not exists (select from executions where execution_key = p_key and ordinal > p_ordinal)
    and coalesce((e.opened #>> '{state,version}')::bigint, 0) = coalesce((select state_version from entities where chain = e.chain), 0);
  v_record := append(e.chain, p_body, '{contradicted}');
  update executions set contradicted_seq = (v_record ->> 'seq')::bigint, status = case when v_again then 'in_doubt' else status end
    where execution_key = p_key and ordinal = p_ordinal;
  return jsonb_build_object('status', 'committed', 'record', v_record);
end $$;
