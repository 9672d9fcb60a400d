-- What auditors read, and who may do what.

-- KIFF's audit records (kind, message, data, trace), one row for each entry of a ledger row.
create view kiff.audit_records as
  select 'audit-' || l.chain || '-' || l.seq || '-' || entry.position as id,
    entry.value ->> 'kind' as kind, l.body::jsonb ->> 'domain' as domain, l.entity_id, l.body::jsonb ->> 'entity_type' as entity_type,
    coalesce(entry.value ->> 'actor_id', l.body::jsonb ->> 'actor') as actor_id, entry.value ->> 'message' as message,
    entry.value -> 'data' as data, l.trace_id, l.correlation_id,
    coalesce(entry.value ->> 'causation_id', l.body::jsonb ->> 'causation_id') as causation_id, l.at as created_at,
    l.chain, l.seq, entry.position
  from kiff.ledger l cross join lateral jsonb_array_elements(l.body::jsonb -> 'audit') with ordinality as entry(value, position);

create view kiff.events as
  select event.value ->> 'id' as id, event.value ->> 'type' as type, l.body::jsonb ->> 'domain' as domain, l.body::jsonb ->> 'entity_type' as entity_type,
    l.entity_id, l.body::jsonb ->> 'actor' as actor_id, event.value ->> 'from' as from_state, event.value ->> 'to' as to_state,
    event.value -> 'payload' as payload, coalesce(event.value ->> 'source', 'workflow:' || (l.body::jsonb ->> 'workflow_id')) as source,
    coalesce((event.value ->> 'occurred_at')::timestamptz, l.at) as occurred_at, l.at as recorded_at,
    l.trace_id, l.correlation_id, l.body::jsonb ->> 'causation_id' as causation_id, l.body::jsonb -> 'tags' as tags, l.chain, l.seq, event.position
  from kiff.ledger l cross join lateral jsonb_array_elements(l.body::jsonb -> 'events') with ordinality as event(value, position);

create view kiff.decisions as
  select l.body::jsonb ->> 'proposal_digest' as proposal_digest, l.body::jsonb ->> 'domain' as domain, l.body::jsonb ->> 'entity_type' as entity_type,
    l.entity_id, 'action_proposal' as kind, l.body::jsonb ->> 'action' as proposed_action, l.body::jsonb -> 'params' as parameters,
    l.body::jsonb -> 'claim' as claim, l.body::jsonb #>> '{decision,outcome}' as outcome, l.body::jsonb #>> '{decision,reason}' as reason,
    l.body::jsonb ->> 'actor' as actor_id, l.at as created_at, l.chain, l.seq
  from kiff.ledger l where l.body::jsonb ? 'decision';

revoke all on all functions in schema kiff from public;

-- The functions run as kiff_definer, which can do this and no more: nothing is ever deleted, ledger rows never change.
grant select on all tables in schema kiff to kiff_definer;
grant insert on kiff.chains, kiff.entities, kiff.ledger, kiff.event_ids, kiff.calls, kiff.approvals, kiff.reviews, kiff.executions,
  kiff.consumptions, kiff.deliveries, kiff.reconciliations to kiff_definer;
grant update (seq, head) on kiff.chains to kiff_definer;
grant update (state, state_version) on kiff.entities to kiff_definer;
grant update (status, closed_seq) on kiff.approvals to kiff_definer;
grant update (status, completion_rejected, lease_token, lease_until, closed_seq, answer, reconciling, reconciliation_rejected, contradicted_seq) on kiff.executions to kiff_definer;
grant update (attempts, next_at, last_error) on kiff.deliveries to kiff_definer;
grant update (epoch) on kiff.role_epochs to kiff_definer; -- only so that it may lock the row FOR SHARE
grant execute on all functions in schema kiff to kiff_definer;

grant execute on function kiff.read_facts, kiff.record_answer, kiff.request_approval, kiff.open_execution, kiff.resume_execution,
  kiff.yield_lease, kiff.complete_execution, kiff.execute_pure, kiff.mark_in_doubt, kiff.report_event, kiff.overdue_executions,
  kiff.registered_contracts, kiff.due_reconciliations, kiff.apply_reconciliation, kiff.reject_reconciliation, kiff.record_contradiction to kiff_gate;
grant execute on function kiff.list_approvals, kiff.show_approval, kiff.list_in_doubt, kiff.record_review, kiff.revoke_approval, kiff.record_refused_review,
  kiff.overdue_rounds, kiff.open_rounds, kiff.rounds_of, kiff.close_approval, kiff.due_deliveries, kiff.delivery_attempted, kiff.show_in_doubt, kiff.record_reconciliation,
  kiff.record_refused_reconciliation to kiff_reviewer;
grant select on all tables in schema kiff to kiff_auditor;
grant execute on function kiff.link to kiff_auditor;

-- Last: handed over, the functions keep these rights, and run with the definer's.
grant create on schema kiff to kiff_definer;
do $$
declare v_function regprocedure;
begin
  for v_function in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'kiff'::regnamespace and p.prosecdef loop
    execute format('alter function %s owner to kiff_definer', v_function);
  end loop;
end $$;
revoke create on schema kiff from kiff_definer;
