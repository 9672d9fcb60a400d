/** Reconciliations in SQL: who says what became of an execution, over which text, and what the gate may make of it. */
import { guardsOf, secondLinesOf } from '../sql-guard.ts'

const stored = 'says one or the other, with an output or without, and why'
const unlike = 'with a row that is not what was opened and signed'

export const sqlReconciliations = guardsOf('0005-reconciliations', [
  ['reconciliation-round', 'an answer before the first', 'check (round > 0)', '', 'constraints', 'an answer before the first'],
  ['reconciliation-digest', 'a text that is not what its digest says', "digest bytea not null check (digest = sha256(convert_to(request, 'UTF8')))", 'digest bytea not null', 'constraints', 'an answer whose text is not what its digest says'],
  ['reconciliation-verdict', 'an answer that says neither', "check (verdict in ('happened', 'not_happened'))", '', 'reconciliations', `${stored}: {"verdict":"perhaps"}`],
  ['reconciliation-output', 'an answer that it happened, without what came of it', "check ((output is not null) = (verdict = 'happened'))", "check (output is null or verdict = 'happened')", 'reconciliations', `${stored}: {"verdict":"happened"}`],
  ['reconciliation-no-output', 'an answer that it did not happen, with what came of it', "check ((output is not null) = (verdict = 'happened'))", "check (output is not null or verdict <> 'happened')", 'reconciliations', `${stored}: {"verdict":"not_happened","output":{}}`],
  ['reconciliation-reason', 'an answer without a reason', "check (reason <> '')", '', 'reconciliations', `${stored}: {"verdict":"not_happened","reason":""}`],
  ['reconciliation-once', 'two answers of one number', 'clock_timestamp(),\n  primary key (execution_key, ordinal, round),', 'clock_timestamp(),', 'constraints', 'two answers of one number'],
  ['reconciliation-of-execution', 'an answer about no execution', 'round),\n  foreign key (execution_key, ordinal) references kiff.executions', 'round)', 'constraints', 'an answer about no execution'],
  ['reconciliation-no-update', 'an answer altered', 'before update or delete on kiff.reconciliations', 'before delete on kiff.reconciliations', 'logins', 'reconciliations: no row can be updated or deleted, nor all of them'],
  ['reconciliation-no-delete', 'an answer deleted', 'before update or delete on kiff.reconciliations', 'before update on kiff.reconciliations', 'logins', 'reconciliations: no row can be updated or deleted, nor all of them'],
  ['reconciliation-no-truncate', 'every answer deleted at once', 'create trigger no_truncate before truncate on kiff.reconciliations execute function kiff.refuse_rewrite();', '', 'logins', 'reconciliations: no row can be updated or deleted, nor all of them'],

  ['in-doubt-status', 'an execution in doubt that nobody may answer for', "coalesce(e.status = 'in_doubt' or e.completion_rejected is not null, false)", 'coalesce(e.completion_rejected is not null, false)', 'reconciliations', 'is what was opened, by whom'],
  ['in-doubt-rejected', 'a rejected completion that nobody may answer for', "coalesce(e.status = 'in_doubt' or e.completion_rejected is not null, false)", "coalesce(e.status = 'in_doubt', false)", 'applied', 'it happened, also where the completion had been rejected'],
  ['reconcilers-of-contract', 'an answer by those whom another contract names', "from kiff.contracts where domain = e.opened ->> 'domain' and action = e.opened ->> 'action' and hash = e.opened ->> 'contract'", "from kiff.contracts where domain = e.opened ->> 'domain' and reconcilers is not null limit 1", 'reconciliations', 'is for nobody where the contract names no one'],
  ['reconcile-permitted', 'an answer by someone without the permission', "when not coalesce(kiff.may_review(e.opened ->> 'domain', p_actor, kiff.reconcilers_of(e)), false) then", 'when false then', 'reconciliations', 'is not for whoever lacks the permission'],
  ['reconcile-by-nobody', 'an answer where the contract names nobody', 'kiff.reconcilers_of(e)), false)', 'kiff.reconcilers_of(e)), true)', 'reconciliations', 'is for nobody where the contract names no one'],
  ['reconcile-not-by-actor', 'an answer by the one who proposed it', "or p_actor = e.opened ->> 'actor' or", 'or', 'reconciliations', 'is not for the one who proposed it'],
  ['reconcile-not-by-represented', 'an answer by the one it is done for', "or p_actor = e.opened ->> 'on_behalf_of' then", 'then', 'reconciliations', 'is not for the one who proposed it'],
  ...(['namespace', 'workflow_id', 'first_execution_run_id', 'domain', 'contract', 'entity_type', 'entity_id', 'state', 'action', 'params', 'actor'] as const).map((field) => [
    `request-${field.replaceAll('_', '-')}`, `an answer over a text that does not say the ${field.replaceAll('_', ' ')}`, `'${field}', e.opened -> '${field}',`, `'${field}', null,`, 'reconciliations', 'is what was opened, by whom'] as const),
  ['request-on-behalf-of', 'an answer over a text that does not say for whom', "'on_behalf_of', e.opened -> 'on_behalf_of',", "'on_behalf_of', null,", 'reconciliations', 'says for whom, by which facts'],
  ['request-facts', 'an answer over a text that does not say the facts', "'facts', coalesce(e.opened -> 'facts', '{}')", "'facts', null", 'reconciliations', 'says for whom, by which facts'],
  ['request-doubt', 'an answer over a rejected completion taken for one in doubt', "'doubt', case when e.completion_rejected is null then 'in_doubt' else 'completion_rejected' end", "'doubt', 'in_doubt'", 'applied', 'it happened, also where the completion had been rejected'],
  ['request-ordinal', 'an answer about one attempt taken for another', "'execution_key', e.execution_key, 'ordinal', e.ordinal,\n    'opened'", "'execution_key', e.execution_key, 'ordinal', null,\n    'opened'", 'reconciliations', 'is what was opened, by whom'],
  ['request-key', 'an answer over a text that does not say the key', "'execution_key', e.execution_key, 'ordinal', e.ordinal,\n    'opened'", "'execution_key', null, 'ordinal', e.ordinal,\n    'opened'", 'reconciliations', 'is what was opened, by whom'],
  ['request-of-chain', 'a text about another entity', 'from kiff.chains c join kiff.ledger o on o.chain = c.chain and o.seq = e.opened_seq', 'from kiff.chains c join kiff.ledger o on o.seq = e.opened_seq', 'reconciliations', 'says for whom, by which facts'],
  ['show-doubt-only', 'a person asked about what nobody doubts', ' and (is_in_doubt(e) or last.request is not null)', '', 'reconciliations', 'is nothing of an execution that is not in doubt'],
  ['show-doubt-key', 'another execution shown', 'where e.execution_key = p_key and e.ordinal = p_ordinal and (is_in_doubt(e)', 'where e.ordinal = p_ordinal and (is_in_doubt(e)', 'attempts', 'is asked for over the attempt, and the execution, that was asked for'],
  ['show-doubt-attempt', 'another attempt shown', 'where e.execution_key = p_key and e.ordinal = p_ordinal and (is_in_doubt(e)', 'where e.execution_key = p_key and (is_in_doubt(e)', 'attempts', 'is asked for over the attempt, and the execution, that was asked for'],
  ['list-doubt', 'an execution in doubt that nobody is shown', "where e.status = 'in_doubt' or e.completion_rejected", 'where e.completion_rejected', 'reviews', 'shows what ended in doubt'],
  ['list-rejected', 'a rejected completion that nobody is shown', "or e.completion_rejected is not null or e.contradicted_seq", 'or e.contradicted_seq', 'reviews', 'shows what ended in doubt'],
  ['list-contradicted', 'a contradiction that nobody is shown', " or e.contradicted_seq is not null and e.status = 'failed' and l.at > clock_timestamp() - interval '30 days'", '', 'applied', 'is never taken for that of the next attempt'],

  ['lock-execution-chain', 'an answer recorded while the execution ends', 'perform from kiff.chains where chain = v_chain for update;\n  select * into e from kiff.executions where execution_key = p_key and ordinal = p_ordinal for update;', 'select * into e from kiff.executions where execution_key = p_key and ordinal = p_ordinal;', 'locks', 'ten answers to what became of one execution'],
  ['lock-execution-attempt', 'an answer to another attempt', 'select * into e from kiff.executions where execution_key = p_key and ordinal = p_ordinal for update', 'select * into e from kiff.executions where execution_key = p_key for update', 'attempts', 'to the second attempt is not to the first'],
  ['reconcile-there', 'an answer about what there is not', "if e.execution_key is null then return '{\"status\":\"refused\",\"reason\":\"not_found\"}'; end if;", '', 'attempts', 'to what there is not is refused'],
  ['reconcile-signature', 'an answer kept beside another signature', "if v_said ->> 'jws_sha256' is distinct from encode(sha256(convert_to(p_jws, 'UTF8')), 'hex') then", 'if false then', 'reconciliations', 'is kept only beside the hash of its signature'],
  ['reconcile-once', 'an answer beside one that waits', "when e.reconciling is not null then 'already_reconciled'", "when false then 'already_reconciled'", 'reconciliations', 'counts once'],
  ['reconcile-doubt', 'an answer about what has ended', "when not is_in_doubt(e) then 'closed'", "when false then 'closed'", 'constraints', 'to what has ended is refused'],
  ['reconcile-digest', 'an answer over another text', "when encode(sha256(convert_to(v_request, 'UTF8')), 'hex') is distinct from v_said ->> 'digest' then 'closed'", "when false then 'closed'", 'reconciliations', 'is over exactly what was shown'],
  ['reconcile-by-permitted', 'an answer by someone who may not', "else nullif(may_reconcile(e, v_said ->> 'reviewer'), 'permitted')", 'else null', 'reconciliations', 'is not for whoever lacks the permission'],
  ['reconcile-refused', 'a refused answer that counts', "if v_refused is not null then return jsonb_build_object('status', 'refused', 'reason', v_refused); end if;", '', 'reconciliations', 'is not for whoever lacks the permission'],
  ['reconcile-kind', 'an answer recorded as something else', "append(e.chain, p_body, '{reconciled}')", "append(e.chain, p_body, '{reconciled,executed}')", 'rows', 'recordReconciliation writes no execution, and no refusal of the gate'],
  ['reconcile-waits', 'an answer that the gate does not hear of', 'update executions set reconciling = v_round, reconciliation_rejected = null where execution_key = e.execution_key and ordinal = e.ordinal;', '', 'reconciliations', 'is recorded with its signature\'s hash, and changes nothing by itself'],
  ['reconcile-this', 'an answer to every attempt', 'update executions set reconciling = v_round, reconciliation_rejected = null where execution_key = e.execution_key and ordinal = e.ordinal;', 'update executions set reconciling = v_round, reconciliation_rejected = null where execution_key = e.execution_key;', 'attempts', 'to the second attempt is not to the first'],
  ['refused-reconcile-there', 'a row about what there is not', 'if e.execution_key is null then return; end if;', '', 'attempts', 'to what there is not is refused'],
  ['refused-reconcile-kind', 'a refused answer recorded as something else', "append(e.chain, p_body, '{reconciliation_refused}')", "append(e.chain, p_body, '{reconciliation_refused,executed}')", 'rows', 'recordRefusedReconciliation writes no execution, and no refusal of the gate'],

  ['due-of-domain', 'another domain\'s answers given to a gate', "where e.opened ->> 'domain' = p_domain and", 'where', 'otherDomains', 'is due in its own domain only'],
  ['due-waiting', 'an answer given to the gate again', 'and r.round = e.reconciling join', 'join', 'attempts', 'is due alone, whatever was answered before'],
  ['due-newest', 'a gate told that replaced rules are the newest', "and k.action = e.opened ->> 'action' and k.newest)", "and k.action = e.opened ->> 'action' order by k.newest limit 1)", 'gateReconciliations', 'is due with the contract that is registered for its own action now'],
  ['due-newest-of-domain', "a gate told another domain's rules", "where k.domain = e.opened ->> 'domain' and k.action", 'where k.action', 'gateReconciliations', 'is due with the contract that is registered for its own action now'],
  ['due-newest-of-action', "a gate told another action's rules", "and k.action = e.opened ->> 'action' and k.newest)", 'and k.newest limit 1)', 'gateReconciliations', 'is due with the contract that is registered for its own action now'],
  ['applied-about', 'a row that ends it as something else', 'select kiff.is_about(e, b) and kiff.says', 'select kiff.says', 'attempts', 'is applied by no row with another params than was opened'],
  ...(['namespace', 'workflow_id', 'first_execution_run_id', 'contract'] as const).map((field) => [
    `applied-${field.replaceAll('_', '-')}`, `a row that ends it with another ${field.replaceAll('_', ' ')}`, ...fitting(field), 'attempts', `is applied by no row with another ${field} than was opened`] as const),
  ['applied-cause', 'a row that ends it for another answer', "and b ->> 'causation_id' = c.key || '#' || r.seq", '', 'applied', `${unlike}: {"causation_id":"ledgers/Account/x#1"}`],
  ['apply-waiting', 'an end by an answer that does not wait', "v_record jsonb;\nbegin\n  if e.reconciling is distinct from p_round or p_round is null then return '{\"status\":\"stale\"}'; end if;\n  select * into strict r", 'v_record jsonb;\nbegin\n  select * into strict r', 'applied', 'without a reconciliation that waits, or for another round'],
  ['apply-some-round', 'an end by no answer', "if e.reconciling is distinct from p_round or p_round is null then return '{\"status\":\"stale\"}'; end if;\n  select * into strict r", "if e.reconciling is distinct from p_round then return '{\"status\":\"stale\"}'; end if;\n  select * into strict r", 'constraints', 'of which none waits is applied by no number'],
  ['apply-round', 'an end by another answer than the one that waits', 'and ordinal = p_ordinal and round = p_round;', 'and ordinal = p_ordinal order by round limit 1;', 'applied', 'nothing where the output is not what the contract takes'],
  ['apply-doubt', 'an end of what has ended', "if not is_in_doubt(e) or r.request is distinct", 'if r.request is distinct', 'applied', 'before the gate has applied the answer'],
  ['apply-text', 'an end by an answer over another text', 'if not is_in_doubt(e) or r.request is distinct from reconciliation_request(e) then', 'if not is_in_doubt(e) then', 'applied', 'that cannot be accepted asks again'],
  ['apply-permitted', 'an end by an answer of someone who has lost the role', "if may_reconcile(e, r.reviewer) <> 'permitted' then", 'if false then', 'applied', 'nothing that whoever signed it may say no longer'],
  ['apply-fits', 'a row that is not what was opened', 'if not fits_reconciliation(e, r, b) or b', 'if b', 'applied', `${unlike}: {"params":{"note":"more"}}`],
  ['apply-output', 'an output that nobody signed', "or b -> 'output' is distinct from r.output then", 'then', 'applied', `${unlike}: {"output":{"ok":"otherwise"}}`],
  ['apply-kind', 'an end that is not what was said', "append(e.chain, p_body, array[case r.verdict when 'happened' then 'executed' else 'failed' end])", "append(e.chain, p_body, array['executed', 'failed'])", 'applied', `${unlike}: {"kind":"failed"}`],
  ['apply-folds', 'events of what did not happen', "if r.verdict = 'happened' then perform fold_events(", 'if true then perform fold_events(', 'attempts', 'that it did not happen folds nothing'],
  ['apply-verdict', 'a success where a person said that it did not happen', "set status = case r.verdict when 'happened' then 'succeeded' else 'failed' end, completion_rejected = null", "set status = 'succeeded', completion_rejected = null", 'applied', 'it did not: the attempt has failed'],
  ['apply-frees', 'an entity held for ever by a completion that is settled', "'failed' end, completion_rejected = null, reconciling", "'failed' end, reconciling", 'applied', 'it did not, also where the completion had been rejected'],
  ['apply-once', 'an answer applied again', "completion_rejected = null, reconciling = null,\n", 'completion_rejected = null,\n', 'applied', 'it happened: the event is folded'],
  ['apply-this', 'another attempt ended', "answer = p_answer\n  where execution_key = p_key and ordinal = p_ordinal;", 'answer = p_answer\n  where execution_key = p_key;', 'attempts', 'to the second attempt, applied, leaves the first'],
  ['reject-waiting', 'a row that rejects an answer which does not wait', 'if e.reconciling is distinct from p_round or p_round is null or not is_about', 'if p_round is null or not is_about', 'applied', 'without a reconciliation that waits, or for another round'],
  ['reject-some-round', 'a row that rejects no answer', 'or p_round is null or not is_about', 'or not is_about', 'constraints', 'of which none waits is applied by no number'],
  ['reject-about', 'an answer rejected by a row of something else', 'or p_round is null or not is_about(e, b) then', 'or p_round is null then', 'bound', 'keeps what a person has said of it > by a row that says another actor'],
  ['reject-kind', 'a rejection that says it is an answer', "append(e.chain, p_body, '{reconciliation_rejected}')", "append(e.chain, p_body, '{reconciliation_rejected,reconciled}')", 'rows', 'rejectReconciliation writes no review, and no reconciliation'],
  ['reject-frees', 'a person who can answer no more', 'update executions set reconciling = null, reconciliation_rejected = p_why', 'update executions set reconciliation_rejected = p_why', 'applied', 'nothing where the output is not what the contract takes'],
  ['contradict-failed', 'a contradiction of what is not settled', "if e.status is distinct from 'failed' or e.contradicted_seq", 'if e.contradicted_seq', 'applied', 'is told once, and only of what is on record as not done'],
  ['contradict-once', 'a contradiction told twice', ' or e.contradicted_seq is not null or not', ' or not', 'applied', 'is never taken for that of the next attempt'],
  ['contradict-about', 'a contradiction by a row of something else', 'is not null or not is_about(e, b) then return', 'is not null then return', 'bound', 'is not contradicted > by a row that says another actor'],
  ['contradict-not-held', 'two executions that hold one entity', 'v_again := not entity_is_held(e.chain) and not exists', 'v_again := not exists', 'attempts', 'holds nothing where another action holds the entity'],
  ['contradict-not-later', 'an entity held by an attempt that another has followed', 'and not exists (select from executions where execution_key = p_key and ordinal > p_ordinal)\n', '\n', 'attempts', 'holds nothing where the next attempt has ended'],
  ['contradict-not-moved', 'an entity held that has moved since', "and coalesce((e.opened #>> '{state,version}')::bigint, 0) = coalesce((select state_version from entities where chain = e.chain), 0);", ';', 'applied', 'holds nothing either where the entity has moved since'],
  ['contradict-again', 'an effect that happened, and that nobody asks about', "status = case when v_again then 'in_doubt' else status end", 'status = status', 'applied', 'contradicts it, and nobody knows again'],
  ['contradict-kind', 'a contradiction that says it is an answer', "append(e.chain, p_body, '{contradicted}')", "append(e.chain, p_body, '{contradicted,reconciled}')", 'rows', 'recordContradiction writes no review, and no reconciliation'],
])

/** Takes a field out of those that a row must share with what was opened. */
function fitting(field: string): readonly [from: string, to: string] {
  const fields = '{namespace,workflow_id,first_execution_run_id,contract}'
  return [fields, fields.replace(field, `_${field}`)]
}

export const secondLines = secondLinesOf('0005-reconciliations', [
  ['request-since', 'an answer to an earlier doubt taken for one to this', 'the doubt about an attempt is recorded after it was opened, and the newest counts'],
  ['in-doubt-known', 'an execution that is not there taken for one in doubt', '`sql-reconcile-there`, and `sql-apply-waiting`'],
  ['reconcile-by-someone', 'an answer by nobody', '`sql-reconcile-permitted`: nobody holds a permission'],
])
