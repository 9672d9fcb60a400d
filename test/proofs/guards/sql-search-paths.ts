/** Functions that run with more rights than their caller look names up in kiff alone: one entry each. */
import { guardsOf } from '../sql-guard.ts'

const functions = {
  '0003-gate': [
    'read_facts(q jsonb) returns jsonb\nlanguage sql volatile', 'record_answer(p_body text, p_answer jsonb, p_guard jsonb, p_closing jsonb) returns jsonb\nlanguage plpgsql',
    'request_approval(p_body text, p_answer jsonb, p_request text, p_guard jsonb, p_closing jsonb) returns jsonb\nlanguage plpgsql',
    'open_execution(p_body text, p_guard jsonb, p_lease_ms bigint, p_idempotent_ms bigint, p_approval uuid, p_void uuid) returns jsonb\nlanguage plpgsql',
    'resume_execution(p_body text, p_key text, p_lease_ms bigint) returns jsonb\nlanguage plpgsql', 'yield_lease(p_key text, p_token uuid) returns void\nlanguage sql',
    'complete_execution(p_body text, p_key text, p_answer jsonb, p_end jsonb) returns jsonb\nlanguage plpgsql', 'execute_pure(p_body text, p_guard jsonb, p_approval uuid, p_void uuid, p_answer jsonb) returns jsonb\nlanguage plpgsql',
    'mark_in_doubt(p_body text, p_key text, p_token uuid) returns jsonb\nlanguage plpgsql', 'report_event(p_body text, p_answer jsonb, p_guard jsonb) returns jsonb\nlanguage plpgsql',
    'overdue_executions(p_namespace text) returns setof jsonb\nlanguage sql volatile', 'registered_contracts(p_domain text) returns setof jsonb\nlanguage sql stable',
  ],
  '0004-reviews': [
    'list_approvals(p_pending boolean, p_limit int) returns setof jsonb\nlanguage sql volatile', 'show_approval(p_id uuid) returns jsonb\nlanguage sql stable', 'record_review(p_body text, p_jws text) returns jsonb\nlanguage plpgsql',
    'revoke_approval(p_body text) returns jsonb\nlanguage plpgsql', 'record_refused_review(p_body text) returns void\nlanguage plpgsql', 'overdue_rounds() returns setof jsonb\nlanguage sql volatile',
    'open_rounds(p_after uuid, p_limit int) returns setof jsonb\nlanguage sql stable', 'rounds_of(p_namespace text, p_workflow text, p_first_run text) returns jsonb\nlanguage sql stable', 'close_approval(p_body text) returns boolean\nlanguage plpgsql', 'due_deliveries() returns setof jsonb\nlanguage sql volatile',
    'delivery_attempted(p_id uuid, p_wait_ms bigint, p_error text) returns void\nlanguage sql',
  ],
  '0005-reconciliations': [
    'show_in_doubt(p_key text, p_ordinal int) returns jsonb\nlanguage sql stable', 'list_in_doubt() returns setof jsonb\nlanguage sql stable', 'record_reconciliation(p_body text, p_jws text) returns jsonb\nlanguage plpgsql',
    'record_refused_reconciliation(p_body text) returns void\nlanguage plpgsql', 'due_reconciliations(p_domain text) returns setof jsonb\nlanguage sql stable',
    'apply_reconciliation(p_body text, p_key text, p_ordinal int, p_round int, p_answer jsonb) returns jsonb\nlanguage plpgsql', 'reject_reconciliation(p_body text, p_key text, p_ordinal int, p_round int, p_why text) returns jsonb\nlanguage plpgsql',
    'record_contradiction(p_body text, p_key text, p_ordinal int) returns jsonb\nlanguage plpgsql',
  ],
} as const

/** A caller's schema cannot come first: the path that is set is taken, and one that begins with another schema is what a test can see. */
export const sqlSearchPaths = [
  ...Object.entries(functions).flatMap(([migration, heads]) => guardsOf(migration, heads.map((head) => {
    const name = head.slice(0, head.indexOf('('))
    const text = (path: string): string => `kiff.${head} security definer set search_path = ${path} as`
    return [`path-of-${name.replaceAll('_', '-')}`, `${name} reading a caller's tables and functions`, text('kiff, pg_temp'), text('public, kiff, pg_temp'), 'logins', 'belong to the definer, and look names up in kiff alone'] as const
  }))),
  ...guardsOf('0003-gate', [
    ['temporary-names-last', 'a caller\'s temporary table read in place of ours', `${functions['0003-gate'][0]} security definer set search_path = kiff, pg_temp as`, `${functions['0003-gate'][0]} security definer set search_path = pg_temp, kiff as`, 'reviewAuthority', 'no temporary table'],
  ]),
]
