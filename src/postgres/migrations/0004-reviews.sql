-- What the human-facing service does. It alone records reviews; its login is the only one that may.

-- The outbox: a review waits here until the round it belongs to is closed.
create table kiff.deliveries (
  approval_id uuid primary key references kiff.approvals,
  attempts int not null default 0,
  next_at timestamptz not null default clock_timestamp(),
  last_error text
);

create function kiff.approval_row(a kiff.approvals) returns jsonb
language sql stable as $$
  select jsonb_build_object('request', a.request, 'digest', encode(a.digest, 'hex'), 'status', a.status, 'reviews',
    (select coalesce(jsonb_agg(jsonb_build_object('verdict', r.verdict, 'reviewer', r.reviewer, 'reason', r.reason,
      'at', to_char(r.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by r.at), '[]') from kiff.reviews r where r.approval_id = a.approval_id),
    'revoked', (select jsonb_build_object('reviewer', l.body::jsonb ->> 'actor', 'reason', l.body::jsonb #>> '{audit,0,data,reason}',
      'at', to_char(l.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) from kiff.ledger l
      where l.approval_id = a.approval_id::text and l.kind = 'approval_revoked'))
$$;

create function kiff.list_approvals(p_pending boolean, p_limit int) returns setof jsonb
language sql volatile security definer set search_path = kiff, pg_temp as $$
  select approval_row(a) from approvals a
  where case when p_pending then a.status = 'pending' and a.answer_by > clock_timestamp()
             else a.status <> 'pending' or a.answer_by <= clock_timestamp() end
  order by case when p_pending then a.answer_by end, a.answer_by desc, a.approval_id limit p_limit
$$;

create function kiff.show_approval(p_id uuid) returns jsonb
language sql stable security definer set search_path = kiff, pg_temp as $$ select approval_row(a) from approvals a where approval_id = p_id $$;

-- Records one review: row, ledger row, outbox, in this one commit. Locks the chain, then the approval.
create function kiff.record_review(p_body text, p_jws text) returns jsonb
language plpgsql security definer set search_path = kiff, pg_temp as $$
declare b jsonb := p_body::jsonb; v_id uuid := (b ->> 'approval_id')::uuid; v_review jsonb := b -> 'review'; a approvals; v_chain bigint; v_refused text;
begin
  select chain into v_chain from approvals where approval_id = v_id;
  if v_chain is null then return '{"status":"refused","reason":"not_found"}'; end if;
  perform from chains where chain = v_chain for update;
  select * into a from approvals where approval_id = v_id for update;
  if v_review ->> 'jws_sha256' is distinct from encode(sha256(convert_to(p_jws, 'UTF8')), 'hex') then
    raise exception 'the row does not hold the hash of this signature' using errcode = 'check_violation';
  end if;
  v_refused := case
    when a.status in ('granted', 'denied', 'consumed') or exists (select from reviews where approval_id = v_id and reviewer = v_review ->> 'reviewer') then 'already_reviewed'
    when a.status = 'expired' then 'expired'
    when a.status <> 'pending' then 'closed'
    when encode(a.digest, 'hex') is distinct from v_review ->> 'digest' then 'closed'
    when not may_review(a.domain, v_review ->> 'reviewer', a.reviewers) then 'permission_denied'
    when v_review ->> 'reviewer' = a.requester or v_review ->> 'reviewer' = a.request::jsonb ->> 'on_behalf_of' then 'self_review'
    when clock_timestamp() >= a.answer_by then 'expired'
  end;
  if v_refused is not null then return jsonb_build_object('status', 'refused', 'reason', v_refused); end if;
  insert into reviews (approval_id, verdict, reviewer, reason, jws)
    values (v_id, v_review ->> 'verdict', v_review ->> 'reviewer', v_review ->> 'reason', p_jws);
  -- One denial is final; a grant counts when as many people as the contract asks for have agreed.
  if v_review ->> 'verdict' = 'denied' or (select count(*) from reviews where approval_id = v_id) >= a.quorum then
    update approvals set status = v_review ->> 'verdict' where approval_id = v_id;
    insert into deliveries (approval_id) values (v_id);
  end if;
  return jsonb_build_object('status', 'committed', 'record', append(v_chain, p_body, '{reviewed}'));
end $$;

-- Takes back a grant that has not been used. The round stays open until the gate has taken note, so that the relay wakes the
-- workflow; from here on nothing can be consumed.
create function kiff.revoke_approval(p_body text) returns jsonb
language plpgsql security definer set search_path = kiff, pg_temp as $$
declare b jsonb := p_body::jsonb; v_id uuid := (b ->> 'approval_id')::uuid; a approvals; v_chain bigint; v_refused text;
begin
  select chain into v_chain from approvals where approval_id = v_id;
  if v_chain is null then return '{"status":"refused","reason":"not_found"}'; end if;
  perform from chains where chain = v_chain for update;
  select * into a from approvals where approval_id = v_id for update;
  v_refused := case
    when not may_review(a.domain, b ->> 'actor', a.reviewers) then 'permission_denied'
    when b ->> 'actor' = a.requester or b ->> 'actor' = a.request::jsonb ->> 'on_behalf_of' then 'self_review'
    when a.status <> 'granted' or a.closed_seq is not null then 'closed'
  end;
  if v_refused is not null then return jsonb_build_object('status', 'refused', 'reason', v_refused); end if;
  update approvals set status = 'revoked' where approval_id = v_id;
  update deliveries set next_at = clock_timestamp() where approval_id = v_id;
  return jsonb_build_object('status', 'committed', 'record', append(v_chain, p_body, '{approval_revoked}'));
end $$;

-- A review that was refused is a fact too. Writes on the approval's chain.
create function kiff.record_refused_review(p_body text) returns void
language plpgsql security definer set search_path = kiff, pg_temp as $$
declare v_chain bigint;
begin
  select chain into v_chain from approvals where approval_id = ((p_body::jsonb) ->> 'approval_id')::uuid;
  if v_chain is null then return; end if;
  perform from chains where chain = v_chain for update;
  perform append(v_chain, p_body, '{review_refused}');
end $$;

-- Rounds that are over by the clock, and nobody has closed yet; also one that was denied, or revoked, and that nobody has come for
-- in the time in which a grant could have been used.
create function kiff.overdue_rounds() returns setof jsonb
language sql volatile security definer set search_path = kiff, pg_temp as $$
  select approval_row(a) from approvals a where closed_seq is null
    and (status = 'pending' and answer_by < clock_timestamp() or status in ('granted', 'denied', 'revoked') and use_by < clock_timestamp()) limit 100
$$;

-- Open rounds, for finding those whose workflow has closed: a page of those after one, from the first on where it is null.
create function kiff.open_rounds(p_after uuid, p_limit int) returns setof jsonb
language sql stable security definer set search_path = kiff, pg_temp as $$
  select approval_row(a) from approvals a
  where closed_seq is null and (p_after is null or approval_id > p_after) order by approval_id limit p_limit
$$;

-- How many rounds a run chain has had here, and how many of them are open.
create function kiff.rounds_of(p_namespace text, p_workflow text, p_first_run text) returns jsonb
language sql stable security definer set search_path = kiff, pg_temp as $$
  select jsonb_build_object('all', count(*), 'open', count(*) filter (where closed_seq is null))
  from approvals where namespace = p_namespace and workflow_id = p_workflow and first_execution_run_id = p_first_run
$$;

-- Expires or withdraws a round, as the row's kind says. False when it is closed already, or not over.
create function kiff.close_approval(p_body text) returns boolean
language plpgsql security definer set search_path = kiff, pg_temp as $$
declare b jsonb := p_body::jsonb; v_id uuid := (b ->> 'approval_id')::uuid; a approvals; v_chain bigint; v_status text; v_seq bigint;
begin
  select chain into v_chain from approvals where approval_id = v_id;
  perform from chains where chain = v_chain for update;
  select * into a from approvals where approval_id = v_id for update;
  v_status := case b ->> 'kind' when 'approval_expired' then 'expired' when 'approval_withdrawn' then 'withdrawn' end;
  if v_status is null then raise exception 'unknown kind %', b ->> 'kind'; end if;
  if a.approval_id is null or a.closed_seq is not null or a.status not in ('pending', 'granted', 'denied', 'revoked') then return false; end if;
  if v_status = 'expired' and clock_timestamp() < (case a.status when 'pending' then a.answer_by else a.use_by end) then return false; end if;
  v_seq := (append(v_chain, p_body, '{approval_expired,approval_withdrawn}') ->> 'seq')::bigint;
  -- A denial stays a denial: it goes on refusing equal proposals of its run chain.
  update approvals set status = case when a.status in ('denied', 'revoked') then a.status else v_status end, closed_seq = v_seq where approval_id = v_id;
  return true;
end $$;

create function kiff.due_deliveries() returns setof jsonb
language sql volatile security definer set search_path = kiff, pg_temp as $$
  select jsonb_build_object('approvalId', a.approval_id, 'namespace', a.namespace, 'workflowId', a.workflow_id,
    'firstExecutionRunId', a.first_execution_run_id, 'attempts', d.attempts,
    'reviews', (select jsonb_agg(r.jws order by r.at) from reviews r where r.approval_id = a.approval_id))
  from deliveries d join approvals a using (approval_id)
  where a.closed_seq is null and d.next_at <= clock_timestamp() order by d.next_at limit 50
$$;

create function kiff.delivery_attempted(p_id uuid, p_wait_ms bigint, p_error text) returns void
language sql security definer set search_path = kiff, pg_temp as $$
  update deliveries set attempts = attempts + 1, next_at = clock_timestamp() + p_wait_ms * interval '1 ms', last_error = p_error where approval_id = p_id
$$;
