-- What the gate worker does. Every function locks the chain first and re-checks in later statements, which in READ COMMITTED
-- see what others have committed meanwhile. `p_body` is the canonical text of the ledger row; all else is read from it.

-- One row a call (run id + activity id): a retry of the activity gets the same answer.
create table kiff.calls (
  namespace text not null,
  run_id text not null,
  activity_id text not null,
  chain bigint not null,
  seq bigint not null,
  answer jsonb not null,
  primary key (namespace, run_id, activity_id),
  foreign key (chain, seq) references kiff.ledger (chain, seq)
);

create table kiff.approvals (
  approval_id uuid primary key,
  execution_key text not null,
  round int not null check (round between 1 and 3),
  chain bigint not null references kiff.chains,
  proposal_digest text not null,
  namespace text not null,
  workflow_id text not null,
  first_execution_run_id text not null,
  domain text not null,
  requester text not null,
  reviewers text not null,
  quorum int not null check (quorum > 0),
  request text not null,
  digest bytea not null check (digest = sha256(convert_to(request, 'UTF8'))),
  answer_by timestamptz not null,
  use_by timestamptz not null check (use_by >= answer_by),
  status text not null default 'pending'
    check (status in ('pending', 'granted', 'denied', 'expired', 'revoked', 'withdrawn', 'void', 'consumed')),
  -- The ledger row that ended the round; until then the relay keeps delivering the review.
  closed_seq bigint,
  unique (execution_key, round)
);
create unique index one_open_round on kiff.approvals (execution_key) where status in ('pending', 'granted');
create index on kiff.approvals (namespace, workflow_id, first_execution_run_id, proposal_digest);
create index on kiff.approvals (status) where closed_seq is null;

create table kiff.reviews (
  approval_id uuid not null references kiff.approvals,
  verdict text not null check (verdict in ('granted', 'denied')),
  reviewer text not null,
  reason text not null,
  jws text not null,
  at timestamptz not null default clock_timestamp(),
  primary key (approval_id, reviewer)
);
create trigger append_only before update or delete on kiff.reviews for each row execute function kiff.refuse_rewrite();
create trigger no_truncate before truncate on kiff.reviews execute function kiff.refuse_rewrite();

create table kiff.executions (
  execution_key text not null,
  ordinal int not null check (ordinal > 0),
  chain bigint not null references kiff.chains,
  status text not null check (status in ('reserved', 'succeeded', 'failed', 'in_doubt')),
  completion_rejected text,
  lease_token uuid,
  lease_until timestamptz not null,
  idempotent_until timestamptz,
  proposal_digest text not null,
  opened jsonb not null,
  opened_seq bigint not null,
  closed_seq bigint,
  answer jsonb,
  -- The reconciliation that waits for the gate; and why the one before was not applied.
  reconciling int,
  reconciliation_rejected text,
  -- The ledger row by which it turned out to have happened, after a person had found that it had not.
  contradicted_seq bigint,
  primary key (execution_key, ordinal)
);
create index on kiff.executions ((opened ->> 'domain')) where reconciling is not null;
create index on kiff.executions (contradicted_seq) where contradicted_seq is not null;
-- The last guards, should every other one be wrong: one execution that holds an entity, one that lasts a key.
create unique index one_open_execution_an_entity on kiff.executions (chain) where status in ('reserved', 'in_doubt') or completion_rejected is not null;
create unique index one_lasting_execution_a_key on kiff.executions (execution_key) where status <> 'failed';

-- A grant is used once: the primary key says so.
create table kiff.consumptions (
  approval_id uuid primary key references kiff.approvals,
  execution_key text not null,
  at timestamptz not null default clock_timestamp()
);
create trigger append_only before update or delete on kiff.consumptions for each row execute function kiff.refuse_rewrite();
create trigger no_truncate before truncate on kiff.consumptions execute function kiff.refuse_rewrite();

create function kiff.ms_until(p_time timestamptz) returns bigint
language sql volatile as $$ select (extract(epoch from p_time - clock_timestamp()) * 1000)::bigint $$;

-- An attempt under this key turned out to have happened after a person had found that it had not: nothing is started under it any more.
create function kiff.was_contradicted(p_key text) returns boolean
language sql volatile as $$ select exists (select from kiff.executions where execution_key = p_key and contradicted_seq is not null) $$;

create function kiff.execution_facts(e kiff.executions) returns jsonb
language sql volatile as $$
  select jsonb_build_object('executionKey', e.execution_key, 'ordinal', e.ordinal, 'proposalDigest', e.proposal_digest,
    'actor', e.opened ->> 'actor', 'onBehalfOf', e.opened ->> 'on_behalf_of', 'facts', coalesce(e.opened -> 'facts', '{}'), 'status', e.status, 'completionRejected', e.completion_rejected,
    'leaseRemainingMs', kiff.ms_until(e.lease_until),
    'idempotentRemainingMs', case when e.idempotent_until is null then null else kiff.ms_until(e.idempotent_until) end,
    'contradicted', kiff.was_contradicted(e.execution_key),
    'openedAgoMs', (select -kiff.ms_until(at) from kiff.ledger where chain = e.chain and seq = e.opened_seq),
    'grant', (select approval_id from kiff.approvals where execution_key = e.execution_key and closed_seq = e.opened_seq and status = 'consumed'))
$$;

create function kiff.record_ref(p_chain bigint, p_seq bigint) returns jsonb
language sql stable as $$
  select jsonb_build_object('chain', c.key, 'seq', l.seq, 'hash', encode(l.hash, 'hex'))
  from kiff.ledger l join kiff.chains c using (chain) where l.chain = p_chain and l.seq = p_seq
$$;

-- What makes two events with one id the same event.
create function kiff.event_content(p_event jsonb) returns bytea
language sql immutable as $$ select sha256(convert_to(jsonb_build_array(p_event -> 'type', p_event -> 'payload')::text, 'UTF8')) $$;

-- The past of an entity, as far as a declared fact is derived from it: events of these kinds, oldest first.
create function kiff.past_events(p_chain bigint, p_types jsonb) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object('type', event.value ->> 'type', 'payload', event.value -> 'payload',
      'at', to_char(l.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) order by l.seq, event.position), '[]')
  from kiff.event_ids i join kiff.ledger l using (chain, seq)
    cross join lateral jsonb_array_elements(l.body::jsonb -> 'events') with ordinality as event(value, position)
  where i.chain = p_chain and i.event_type in (select jsonb_array_elements_text(p_types)) and event.value ->> 'id' = i.event_id
$$;

-- Everything one decision rests on.
create function kiff.read_facts(q jsonb) returns jsonb
language sql volatile security definer set search_path = kiff, pg_temp as $$
  with c as (
    select * from chains where kind = 'entity' and key = entity_key(q ->> 'domain', q ->> 'entityType', q ->> 'entityId')
  ), e as (
    select e.* from entities e join c using (chain)
  ), x as (
    select * from executions where execution_key = q ->> 'executionKey' order by ordinal desc limit 1
  ), a as (
    select * from approvals where execution_key = q ->> 'executionKey' order by round desc limit 1
  )
  select jsonb_build_object(
    'now', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'state', (select jsonb_build_object('value', state, 'version', state_version) from e),
    'contract', case when q -> 'contract' is not null then coalesce(
      (select case when newest then 'newest' else 'superseded' end from contracts
        where domain = q ->> 'domain' and action = q #>> '{contract,action}' and hash = q #>> '{contract,hash}'), 'unknown') end,
    'events', case when jsonb_array_length(q -> 'eventTypes') > 0 then coalesce((select past_events(chain, q -> 'eventTypes') from c), '[]') else '[]' end,
    'intact', coalesce((select coalesce((select l.hash = c.head and l.seq = c.seq from ledger l where l.chain = c.chain order by l.seq desc limit 1), c.seq = 0) from c), true),
    'rolesEpoch', coalesce((select epoch from role_epochs where domain = q ->> 'domain'), 0),
    'permissions', (select coalesce(jsonb_agg(p), '[]') from permissions_of(q ->> 'domain', q ->> 'actor') p),
    'call', (select answer || jsonb_build_object('record', record_ref(chain, seq)) from calls
      where namespace = q #>> '{step,namespace}' and run_id = q #>> '{step,runId}' and activity_id = q #>> '{step,activityId}'),
    'execution', (select execution_facts(x::executions) from x),
    'begun', exists (select from x where jsonb_build_array(opened -> 'namespace', opened -> 'run_id', opened -> 'activity_id')
      = jsonb_build_array(q #> '{step,namespace}', q #> '{step,runId}', q #> '{step,activityId}')),
    'executed', (select answer || jsonb_build_object('record', record_ref(chain, closed_seq)) from x where status = 'succeeded' and answer is not null),
    'holder', (select execution_facts(h) from executions h join c using (chain)
      where h.status in ('reserved', 'in_doubt') or h.completion_rejected is not null),
    'approval', (select jsonb_build_object('approvalId', a.approval_id, 'proposalDigest', a.proposal_digest, 'request', a.request,
        'status', a.status, 'closed', a.closed_seq is not null, 'answerRemainingMs', ms_until(a.answer_by), 'useRemainingMs', ms_until(a.use_by),
        'reviews', (select coalesce(jsonb_agg(jsonb_build_object('jws', r.jws, 'verdict', r.verdict, 'reviewer', r.reviewer, 'reason', r.reason,
            'permitted', may_review(a.domain, r.reviewer, a.reviewers)) order by r.at), '[]') from reviews r where r.approval_id = a.approval_id)) from a),
    'event', (select jsonb_build_object('same', i.content = event_content(q -> 'event'), 'record', record_ref(i.chain, i.seq))
      from event_ids i join c using (chain) where i.event_id = q #>> '{event,id}'),
    'denied', (select jsonb_build_object('reviewer', r.reviewer, 'reason', r.reason) from approvals d join reviews r using (approval_id)
      where d.namespace = q #>> '{step,namespace}' and d.workflow_id = q #>> '{step,workflowId}'
        and d.first_execution_run_id = q #>> '{step,firstExecutionRunId}' and d.proposal_digest = q ->> 'proposalDigest'
        and d.status = 'denied' and r.verdict = 'denied' limit 1))
$$;

-- What the gate read still holds. Called after the chain is locked; the epoch row stays locked against a revocation.
create function kiff.guard_holds(p_chain bigint, b jsonb, g jsonb) returns boolean
language plpgsql as $$
declare v_version bigint; v_epoch bigint;
begin
  select state_version into v_version from kiff.entities where chain = p_chain;
  select epoch into v_epoch from kiff.role_epochs where domain = b ->> 'domain' for share;
  -- A guard left out is not a guard that holds.
  return coalesce(coalesce(v_version, 0) = (g ->> 'stateVersion')::bigint and coalesce(v_epoch, 0) = (g ->> 'rolesEpoch')::bigint
    and g ? 'mandateUntil' and (g ->> 'mandateUntil' is null or clock_timestamp() < (g ->> 'mandateUntil')::timestamptz), false);
end $$;

create function kiff.entity_is_held(p_chain bigint) returns boolean
language sql volatile as $$
  select exists (select from kiff.executions where chain = p_chain and (status in ('reserved', 'in_doubt') or completion_rejected is not null))
$$;

-- What the registry says of acting on this row's contract; the gate has judged all of it before, and is not believed. `stale`
-- when a newer contract has been registered meanwhile. Called after the chain is locked, and the roles with it.
create function kiff.contract_permits(p_chain bigint, b jsonb, p_approval uuid) returns text
language plpgsql as $$
declare k kiff.contracts; v_state text;
begin
  select * into k from kiff.contracts where domain = b ->> 'domain' and action = b ->> 'action' and hash = b ->> 'contract';
  select state into v_state from kiff.entities where chain = p_chain;
  if k.action is null then
    raise exception 'contract % of % is not registered', b ->> 'contract', b ->> 'action' using errcode = 'check_violation';
  end if;
  if not k.newest then return 'stale'; end if;
  if k.entity_type is distinct from b ->> 'entity_type'
    or v_state is null and not exists (select from kiff.stateless where domain = k.domain and entity_type = k.entity_type)
    or coalesce(v_state <> all (k.from_states), false) then
    raise exception '% is not allowed on % in state %', k.action, b ->> 'entity_type', coalesce(v_state, 'nothing') using errcode = 'check_violation';
  end if;
  if not kiff.holds(k.domain, b ->> 'actor', k.permission) then
    raise exception '% does not hold %', b ->> 'actor', k.permission using errcode = 'check_violation';
  end if;
  if k.always_asks and p_approval is null then
    raise exception '% is never done without approval', k.action using errcode = 'check_violation';
  end if;
  return 'permitted';
end $$;

create function kiff.recorded_call(b jsonb) returns jsonb
language sql volatile as $$
  select jsonb_build_object('status', 'repeat', 'answer', answer || jsonb_build_object('record', kiff.record_ref(chain, seq)))
  from kiff.calls where namespace = b ->> 'namespace' and run_id = b ->> 'run_id' and activity_id = b ->> 'activity_id'
$$;

-- Appends the row and remembers what its call answers.
create function kiff.append_answer(p_chain bigint, p_body text, p_kinds text[], p_answer jsonb) returns jsonb
language plpgsql as $$
declare b jsonb := p_body::jsonb; v_record jsonb := kiff.append(p_chain, p_body, p_kinds);
begin
  insert into kiff.calls (namespace, run_id, activity_id, chain, seq, answer)
  values (b ->> 'namespace', b ->> 'run_id', b ->> 'activity_id', p_chain, (v_record ->> 'seq')::bigint, p_answer);
  return jsonb_build_object('status', 'committed', 'record', v_record);
end $$;

-- Ends a round. An expiry counts only by this server's clock; a denial only where the reviewer login recorded one.
create function kiff.close_round(p_closing jsonb, b jsonb, p_chain bigint, p_seq bigint) returns void
language plpgsql as $$
declare a kiff.approvals;
begin
  select * into strict a from kiff.approvals where approval_id = (p_closing ->> 'approvalId')::uuid for update;
  if a.chain <> p_chain or (a.namespace, a.workflow_id, a.first_execution_run_id)
      is distinct from (b ->> 'namespace', b ->> 'workflow_id', b ->> 'first_execution_run_id') then
    raise exception 'approval % is not of this workflow', a.approval_id;
  end if;
  case p_closing ->> 'status'
    when 'denied' then
      if a.status <> 'denied' then raise exception 'approval % is not denied', a.approval_id; end if;
    when 'expired' then
      if clock_timestamp() < (case a.status when 'granted' then a.use_by else a.answer_by end) then
        raise exception 'approval % has not expired', a.approval_id;
      end if;
      if a.status not in ('pending', 'granted') then raise exception 'approval % is %', a.approval_id, a.status; end if;
    when 'void' then
      if a.status not in ('pending', 'granted') then raise exception 'approval % is %', a.approval_id, a.status; end if;
    when 'withdrawn' then
      if a.status not in ('pending', 'granted', 'denied', 'revoked') then raise exception 'approval % is %', a.approval_id, a.status; end if;
    when 'revoked' then
      if a.status <> 'revoked' then raise exception 'approval % is not revoked', a.approval_id; end if;
    else raise exception 'a round cannot be closed as %', p_closing ->> 'status';
  end case;
  -- A denial stays a denial (it goes on refusing equal proposals of its run chain), a revocation a revocation.
  update kiff.approvals set status = case when a.status in ('denied', 'revoked') then a.status else p_closing ->> 'status' end, closed_seq = p_seq
    where approval_id = a.approval_id and closed_seq is null;
end $$;

create function kiff.record_answer(p_body text, p_answer jsonb, p_guard jsonb, p_closing jsonb) returns jsonb
language plpgsql security definer set search_path = kiff, pg_temp as $$
declare b jsonb := p_body::jsonb; v_chain bigint := lock_chain_of(b); v_done jsonb := recorded_call(b);
begin
  if v_done is not null then return v_done; end if;
  if p_guard is not null and not guard_holds(v_chain, b, p_guard) then return '{"status":"stale"}'; end if;
  if p_closing is not null and not exists (select from approvals where approval_id = (p_closing ->> 'approvalId')::uuid and closed_seq is null
      and status in ('pending', 'granted', 'denied', 'revoked')) then
    return '{"status":"stale"}';
  end if;
  v_done := append_answer(v_chain, p_body, '{refused,repeated,event_refused,signal_rejected,approval_withdrawn,approval_denied}', p_answer);
  if p_closing is not null then perform close_round(p_closing, b, v_chain, (v_done #>> '{record,seq}')::bigint); end if;
  return v_done;
end $$;

create function kiff.request_approval(p_body text, p_answer jsonb, p_request text, p_guard jsonb, p_closing jsonb) returns jsonb
language plpgsql security definer set search_path = kiff, pg_temp as $$
declare b jsonb := p_body::jsonb; r jsonb := p_request::jsonb; v_chain bigint := lock_chain_of(b); v_done jsonb := recorded_call(b); k contracts;
begin
  if v_done is not null then return v_done; end if;
  if not guard_holds(v_chain, b, p_guard) then return '{"status":"stale"}'; end if;
  v_done := append_answer(v_chain, p_body, '{approval_requested}', p_answer);
  if p_closing is not null then perform close_round(p_closing, b, v_chain, (v_done #>> '{record,seq}')::bigint); end if;
  select * into k from contracts where domain = b ->> 'domain' and action = b ->> 'action' and hash = b ->> 'contract';
  if (k.reviewers, k.quorum) is distinct from (r ->> 'reviewers', (r ->> 'quorum')::int) or k.reviewers is null
    or jsonb_build_array(r -> 'namespace', r -> 'workflow_id', r -> 'first_execution_run_id', r -> 'domain', r -> 'contract', r -> 'entity_type',
        r -> 'entity_id', r -> 'action', r -> 'actor', r -> 'on_behalf_of')
      <> jsonb_build_array(b -> 'namespace', b -> 'workflow_id', b -> 'first_execution_run_id', b -> 'domain', b -> 'contract', b -> 'entity_type',
        b -> 'entity_id', b -> 'action', b -> 'actor', b -> 'on_behalf_of')
    or not only_filled_in(b -> 'params', r -> 'params') or r -> 'facts' is distinct from coalesce(b -> 'facts', '{}')
    or r ->> 'state' is distinct from b #>> '{state,value}' or r -> 'state_version' is distinct from coalesce(b #> '{state,version}', '0') then
    raise exception 'what is asked is not what the row and the registered contract say' using errcode = 'check_violation';
  end if;
  if exists (select from approvals where execution_key = b ->> 'execution_key' and status in ('pending', 'granted')) then
    raise exception 'a round is open already' using errcode = 'serialization_failure';
  end if;
  insert into approvals (approval_id, execution_key, round, chain, proposal_digest, namespace, workflow_id, first_execution_run_id,
    domain, requester, reviewers, quorum, request, digest, answer_by, use_by)
  values ((r ->> 'approval_id')::uuid, b ->> 'execution_key', (r ->> 'round')::int, v_chain, b ->> 'proposal_digest', r ->> 'namespace',
    r ->> 'workflow_id', r ->> 'first_execution_run_id', r ->> 'domain', r ->> 'actor', r ->> 'reviewers', (r ->> 'quorum')::int, p_request,
    sha256(convert_to(p_request, 'UTF8')), (r ->> 'answer_by')::timestamptz, (r ->> 'use_by')::timestamptz);
  return v_done;
end $$;

-- In these fields a row says what was said before.
create function kiff.says_the_same(p_before jsonb, b jsonb, p_fields text[]) returns boolean
language sql immutable as $$ select not exists (select from unnest(p_fields) as field where p_before -> field is distinct from b -> field) $$;

-- Parameters stand in a request as their schema has parsed them: what was proposed, to the letter, and defaults where it says nothing.
create function kiff.only_filled_in(p_said jsonb, p_parsed jsonb) returns boolean
language sql immutable as $$
  select coalesce(case jsonb_typeof(p_said) || ' ' || jsonb_typeof(p_parsed)
    when 'object object' then not exists (select from jsonb_each(p_said) as said where not kiff.only_filled_in(said.value, p_parsed -> said.key))
    when 'array array' then jsonb_array_length(p_said) = jsonb_array_length(p_parsed) and not exists (
      select from jsonb_array_elements(p_said) with ordinality as said(value, nth) where not kiff.only_filled_in(said.value, p_parsed -> (said.nth - 1)::int))
    else p_said = p_parsed end, false)
$$;

-- The grant is spent here, in the transaction that opens the execution. False when there is nothing to spend.
create function kiff.consume_grant(p_approval uuid, b jsonb, p_seq bigint) returns boolean
language plpgsql as $$
declare a kiff.approvals; r jsonb; e kiff.entities; v_people int;
begin
  select * into a from kiff.approvals where approval_id = p_approval for update;
  r := a.request::jsonb;
  select * into e from kiff.entities where domain = b ->> 'domain' and entity_type = b ->> 'entity_type' and entity_id = b ->> 'entity_id';
  select count(distinct reviewer) into v_people from kiff.reviews where approval_id = p_approval and verdict = 'granted'
    and reviewer <> a.requester and reviewer is distinct from a.request::jsonb ->> 'on_behalf_of' and kiff.may_review(a.domain, reviewer, a.reviewers);
  if a.status is distinct from 'granted' or v_people < a.quorum or a.execution_key <> b ->> 'execution_key' or a.proposal_digest is distinct from b ->> 'proposal_digest'
    -- For the one action that was asked for,
    or not kiff.says_the_same(r, b, '{namespace,workflow_id,first_execution_run_id,domain,contract,entity_type,entity_id,action,actor,on_behalf_of}')
    or not kiff.only_filled_in(b -> 'params', r -> 'params') or r -> 'facts' is distinct from coalesce(b -> 'facts', '{}')
    -- on the entity as it was then: in that state, and unless the request says that the state is enough, not moved since.
    or e.state is distinct from r ->> 'state'
    or r ->> 'binds' is distinct from 'state' and coalesce(e.state_version, 0) is distinct from (r ->> 'state_version')::bigint
    or clock_timestamp() >= a.use_by then
    return false;
  end if;
  insert into kiff.consumptions (approval_id, execution_key) values (p_approval, a.execution_key);
  update kiff.approvals set status = 'consumed', closed_seq = p_seq where approval_id = p_approval;
  return true;
end $$;

-- A round may be voided beside something that happens without it; true where there is none.
create function kiff.may_void(p_void uuid) returns boolean
language sql volatile as $$
  select p_void is null or exists (select from kiff.approvals where approval_id = p_void and closed_seq is null and status in ('pending', 'granted'))
$$;

-- `p_approval`: the grant that is used. `p_void`: a round that is open, and that nobody has to answer any more.
create function kiff.open_execution(p_body text, p_guard jsonb, p_lease_ms bigint, p_idempotent_ms bigint, p_approval uuid, p_void uuid) returns jsonb
language plpgsql security definer set search_path = kiff, pg_temp as $$
declare
  b jsonb := p_body::jsonb;
  v_chain bigint := lock_chain_of(b);
  v_done jsonb := recorded_call(b);
  v_record jsonb;
  v_token uuid := gen_random_uuid();
  v_ordinal int;
begin
  if v_done is not null then return v_done; end if;
  if not guard_holds(v_chain, b, p_guard) or entity_is_held(v_chain) or contract_permits(v_chain, b, p_approval) = 'stale' then return '{"status":"stale"}'; end if;
  if not may_void(p_void) then return '{"status":"stale"}'; end if;
  select coalesce(max(ordinal), 0) + 1 into v_ordinal from executions where execution_key = b ->> 'execution_key';
  if exists (select from executions where execution_key = b ->> 'execution_key' and status <> 'failed') or was_contradicted(b ->> 'execution_key') then return '{"status":"stale"}'; end if;
  v_record := append(v_chain, p_body, '{opened}');
  if p_approval is not null and not consume_grant(p_approval, b, (v_record ->> 'seq')::bigint) then
    raise exception 'the grant of approval % cannot be used', p_approval using errcode = 'serialization_failure';
  end if;
  if p_void is not null then perform close_round(jsonb_build_object('approvalId', p_void, 'status', 'void'), b, v_chain, (v_record ->> 'seq')::bigint); end if;
  insert into executions (execution_key, ordinal, chain, status, lease_token, lease_until, idempotent_until, proposal_digest, opened, opened_seq)
  values (b ->> 'execution_key', v_ordinal, v_chain, 'reserved', v_token, clock_timestamp() + p_lease_ms * interval '1 ms',
    clock_timestamp() + p_idempotent_ms * interval '1 ms', b ->> 'proposal_digest', b - 'audit', (v_record ->> 'seq')::bigint);
  return jsonb_build_object('status', 'committed', 'record', v_record, 'token', v_token, 'ordinal', v_ordinal);
end $$;

-- A row about an execution says what the row said that opened it. Its contract may be a newer one: another worker may have taken it up.
create function kiff.is_about(e kiff.executions, b jsonb) returns boolean
language sql immutable as $$
  select kiff.says_the_same(e.opened, b, '{domain,entity_type,entity_id,action,params,actor,on_behalf_of,execution_key,proposal_digest}')
$$;

-- The whole of the new lease must fit into the time for which the receiver honours the key.
create function kiff.resume_execution(p_body text, p_key text, p_lease_ms bigint) returns jsonb
language plpgsql security definer set search_path = kiff, pg_temp as $$
declare b jsonb := p_body::jsonb; v_chain bigint := lock_chain_of(b); v_token uuid := gen_random_uuid(); v_ordinal int;
begin
  update executions e set lease_token = v_token, lease_until = clock_timestamp() + p_lease_ms * interval '1 ms'
    where execution_key = p_key and chain = v_chain and is_about(e, b) and status = 'reserved'
      and lease_until <= clock_timestamp() and idempotent_until >= clock_timestamp() + p_lease_ms * interval '1 ms' and not was_contradicted(p_key)
    returning ordinal into v_ordinal;
  if v_ordinal is null then return '{"status":"stale"}'; end if;
  return jsonb_build_object('status', 'committed', 'record', append(v_chain, p_body, '{resumed}'), 'token', v_token, 'ordinal', v_ordinal);
end $$;

create function kiff.yield_lease(p_key text, p_token uuid) returns void
language sql security definer set search_path = kiff, pg_temp as $$
  update executions set lease_until = least(lease_until, clock_timestamp()) where execution_key = p_key and lease_token = p_token and status = 'reserved'
$$;

-- Folds the events of a row. The registry has the last word on which transitions there are, and on who may cause them: the
-- reporter whom the domain names, or the registered contract that emits them.
create function kiff.fold_events(p_chain bigint, b jsonb, p_seq bigint) returns void
language plpgsql as $$
declare v_event jsonb; v_position int := 0; v_state text; v_to text; v_reported_by text; v_emits text[];
begin
  select emits into v_emits from kiff.contracts where domain = b ->> 'domain' and action = b ->> 'action' and hash = b ->> 'contract';
  for v_event in select value from jsonb_array_elements(coalesce(b -> 'events', '[]')) loop
    select state into v_state from kiff.entities where chain = p_chain;
    select to_state, reported_by into v_to, v_reported_by from kiff.transitions
      where domain = b ->> 'domain' and entity_type = b ->> 'entity_type' and event_type = v_event ->> 'type'
        and from_state is not distinct from v_state;
    if v_to is null or v_to is distinct from v_event ->> 'to' or v_state is distinct from v_event ->> 'from' then
      raise exception 'event % cannot be folded into %', v_event ->> 'type', coalesce(v_state, 'nothing') using errcode = 'check_violation';
    end if;
    if not (case when b ->> 'action' is null then kiff.holds(b ->> 'domain', b ->> 'actor', v_reported_by)
            else coalesce(v_event ->> 'type' = any (v_emits), false) end) then
      raise exception '% is not for % to cause', v_event ->> 'type', coalesce(b ->> 'action', b ->> 'actor') using errcode = 'check_violation';
    end if;
    -- Each execution has its own ids, so that none can take those of another.
    if b ->> 'action' is not null and v_event ->> 'id' is distinct from (b ->> 'execution_key') || '-' || v_position then
      raise exception 'the id % is not one of this execution', v_event ->> 'id' using errcode = 'check_violation';
    end if;
    v_position := v_position + 1;
    insert into kiff.event_ids (chain, event_id, event_type, seq, content)
      values (p_chain, v_event ->> 'id', v_event ->> 'type', p_seq, kiff.event_content(v_event));
    if v_state is null then
      insert into kiff.entities (chain, domain, entity_type, entity_id, state, state_version)
        values (p_chain, b ->> 'domain', b ->> 'entity_type', b ->> 'entity_id', v_to, 1);
    else
      update kiff.entities set state = v_to, state_version = state_version + 1 where chain = p_chain;
    end if;
  end loop;
end $$;

-- p_end: {"status":"succeeded"} from any attempt, also out of in_doubt; {"status":"failed","token"} from the lease's holder only;
-- {"status":"rejected","why"}: it happened, but its output cannot be accepted, and a person has to look. "ordinal": which attempt it
-- was, so that a late end of one is never taken for that of the next; left out, the newest. `contradicted`: it happened, but a person,
-- or the executor itself, has said that it did not, and this is not recorded here.
create function kiff.complete_execution(p_body text, p_key text, p_answer jsonb, p_end jsonb) returns jsonb
language plpgsql security definer set search_path = kiff, pg_temp as $$
declare
  b jsonb := p_body::jsonb;
  v_chain bigint := lock_chain_of(b);
  e executions;
  v_record jsonb;
  v_end text := p_end ->> 'status';
begin
  if v_end is null or v_end not in ('succeeded', 'failed', 'rejected') then raise exception 'an execution cannot end as %', v_end; end if;
  select * into e from executions where execution_key = p_key and ordinal = coalesce((p_end ->> 'ordinal')::int, ordinal) order by ordinal desc limit 1 for update;
  if e.chain is distinct from v_chain then raise exception 'execution % is not of this entity', p_key; end if;
  if not is_about(e, b) then
    raise exception 'the row is not of what was opened' using errcode = 'check_violation';
  end if;
  if e.status = 'succeeded' then
    return jsonb_build_object('status', 'repeat', 'answer', e.answer || jsonb_build_object('record', record_ref(e.chain, e.closed_seq)));
  end if;
  if v_end = 'failed' and (e.status <> 'reserved' or e.lease_token is distinct from (p_end ->> 'token')::uuid) then return '{"status":"stale"}'; end if;
  if e.status = 'failed' then return '{"status":"contradicted"}'; end if;
  v_record := append(v_chain, p_body, array[case v_end when 'succeeded' then 'executed' when 'failed' then 'failed' else 'completion_rejected' end]);
  if v_end = 'succeeded' then perform fold_events(v_chain, b, (v_record ->> 'seq')::bigint); end if;
  update executions set status = case v_end when 'failed' then 'failed' else 'succeeded' end,
    completion_rejected = case v_end when 'rejected' then p_end ->> 'why' end,
    closed_seq = (v_record ->> 'seq')::bigint, answer = p_answer
  where execution_key = e.execution_key and ordinal = e.ordinal;
  insert into calls (namespace, run_id, activity_id, chain, seq, answer)
    values (b ->> 'namespace', b ->> 'run_id', b ->> 'activity_id', v_chain, (v_record ->> 'seq')::bigint, p_answer) on conflict do nothing;
  return jsonb_build_object('status', 'committed', 'record', v_record);
end $$;

-- An action that only emits: everything in this one commit.
create function kiff.execute_pure(p_body text, p_guard jsonb, p_approval uuid, p_void uuid, p_answer jsonb) returns jsonb
language plpgsql security definer set search_path = kiff, pg_temp as $$
declare b jsonb := p_body::jsonb; v_chain bigint := lock_chain_of(b); v_done jsonb := recorded_call(b); v_seq bigint;
begin
  if v_done is not null then return v_done; end if;
  if not guard_holds(v_chain, b, p_guard) or entity_is_held(v_chain) or contract_permits(v_chain, b, p_approval) = 'stale'
    or exists (select from executions where execution_key = b ->> 'execution_key' and status <> 'failed') or was_contradicted(b ->> 'execution_key') or not may_void(p_void) then
    return '{"status":"stale"}';
  end if;
  v_done := append_answer(v_chain, p_body, '{executed}', p_answer);
  v_seq := (v_done #>> '{record,seq}')::bigint;
  if p_approval is not null and not consume_grant(p_approval, b, v_seq) then
    raise exception 'the grant of approval % cannot be used', p_approval using errcode = 'serialization_failure';
  end if;
  if p_void is not null then perform close_round(jsonb_build_object('approvalId', p_void, 'status', 'void'), b, v_chain, v_seq); end if;
  perform fold_events(v_chain, b, v_seq);
  insert into executions (execution_key, ordinal, chain, status, lease_until, proposal_digest, opened, opened_seq, closed_seq, answer)
  values (b ->> 'execution_key', (select coalesce(max(ordinal), 0) + 1 from executions where execution_key = b ->> 'execution_key'), v_chain, 'succeeded', clock_timestamp(), b ->> 'proposal_digest', b - 'audit', v_seq, v_seq, p_answer);
  return v_done;
end $$;

create function kiff.mark_in_doubt(p_body text, p_key text, p_token uuid) returns jsonb
language plpgsql security definer set search_path = kiff, pg_temp as $$
declare b jsonb := p_body::jsonb; v_chain bigint := lock_chain_of(b); v_ordinal int;
begin
  update executions e set status = 'in_doubt'
    where execution_key = p_key and chain = v_chain and is_about(e, b) and status = 'reserved' and (lease_until <= clock_timestamp() or lease_token = p_token)
    returning ordinal into v_ordinal;
  if v_ordinal is null then return '{"status":"stale"}'; end if;
  return jsonb_build_object('status', 'committed', 'record', append(v_chain, p_body, '{in_doubt}'));
end $$;

create function kiff.report_event(p_body text, p_answer jsonb, p_guard jsonb) returns jsonb
language plpgsql security definer set search_path = kiff, pg_temp as $$
declare
  b jsonb := p_body::jsonb;
  v_event jsonb := b #> '{events,0}';
  v_chain bigint := lock_chain('entity', entity_key(b ->> 'domain', b ->> 'entity_type', b ->> 'entity_id'));
  v_done jsonb := recorded_call(b);
  v_known event_ids;
begin
  if v_done is not null then return v_done; end if;
  if b ->> 'action' is not null or jsonb_array_length(b -> 'events') is distinct from 1 then raise exception 'one event is reported at a time, and by no action'; end if;
  -- Else whoever may report any event could take the id of one that an action will emit, and its effect could never be recorded.
  if v_event ->> 'id' ~ '^[0-9a-f]{64}-[0-9]+$' then
    raise exception 'the id % is one of those that the events of actions have', v_event ->> 'id' using errcode = 'check_violation';
  end if;
  select * into v_known from event_ids where chain = v_chain and event_id = v_event ->> 'id';
  if v_known.seq is not null then
    if v_known.content <> event_content(v_event) then return '{"status":"conflict"}'; end if;
    return jsonb_build_object('status', 'repeat', 'answer', p_answer || jsonb_build_object('record', record_ref(v_chain, v_known.seq)));
  end if;
  if entity_is_held(v_chain) then return '{"status":"busy"}'; end if;
  if not guard_holds(v_chain, b, p_guard) then return '{"status":"stale"}'; end if;
  v_done := append_answer(v_chain, p_body, '{event}', p_answer);
  perform fold_events(v_chain, b, (v_done #>> '{record,seq}')::bigint);
  return v_done;
end $$;

create function kiff.overdue_executions(p_namespace text) returns setof jsonb
language sql volatile security definer set search_path = kiff, pg_temp as $$
  select jsonb_build_object('executionKey', execution_key, 'namespace', opened ->> 'namespace', 'workflowId', opened ->> 'workflow_id',
    'firstExecutionRunId', opened ->> 'first_execution_run_id', 'runId', opened ->> 'run_id', 'activityId', opened ->> 'activity_id',
    'callerKey', opened ->> 'caller_key', 'opened', opened, 'record', key || '#' || opened_seq, 'leaseRemainingMs', ms_until(lease_until))
  from executions join chains using (chain)
  where status = 'reserved' and lease_until < clock_timestamp() and opened ->> 'namespace' = p_namespace order by lease_until limit 100
$$;

-- What a gate worker compares its own contracts with at start.
create function kiff.registered_contracts(p_domain text) returns setof jsonb
language sql stable security definer set search_path = kiff, pg_temp as $$
  select jsonb_build_object('action', action, 'hash', hash) from contracts where domain = p_domain
$$;
