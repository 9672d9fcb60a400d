/** Who may do what in the database: logins, and the role that the functions run as. */
import { guardsOf, secondLinesOf } from '../sql-guard.ts'

const definer = 'can insert, and move counters and states on'
const functions = 'the right to execute is exactly what was granted'

const updates = [
  ['chains', '(seq, head)', 'the key of a chain altered'], ['entities', '(state, state_version)', 'an entity given another id'], ['approvals', '(status, closed_seq)', 'the text of a request altered'],
  ['executions', '(status, completion_rejected, lease_token, lease_until, closed_seq, answer, reconciling, reconciliation_rejected, contradicted_seq)', 'what was opened altered'],
  ['deliveries', '(attempts, next_at, last_error)', 'a delivery given to another approval'], ['role_epochs', '(epoch)', 'a domain\'s epoch given to another'],
] as const

export const sqlRights = guardsOf('0006-views-and-rights', [
  ['functions-not-public', 'anybody calling a function', 'revoke all on all functions in schema kiff from public;', '', 'logins', 'the public has nothing'],
  ...updates.map(([table, columns, guards]) => [`definer-updates-${table.replaceAll('_', '-')}`, guards, `grant update ${columns} on kiff.${table} to kiff_definer;`, `grant update on kiff.${table} to kiff_definer;`, 'logins', definer] as const),
  ['definer-inserts', 'a role, or a contract, given by a function', 'grant insert on kiff.chains,', 'grant insert on kiff.memberships, kiff.contracts, kiff.chains,', 'logins', definer],
  ['definer-deletes', 'anything deleted by a function', 'grant select on all tables in schema kiff to kiff_definer;', 'grant select, delete on all tables in schema kiff to kiff_definer;', 'logins', definer],
  ['gate-functions', 'a review by the gate', 'grant execute on function kiff.read_facts,', 'grant execute on function kiff.record_review, kiff.read_facts,', 'logins', `functions, as gate > ${functions}`],
  ['gate-not-append', 'any row written by the gate', 'grant execute on function kiff.read_facts,', 'grant execute on function kiff.append, kiff.read_facts,', 'logins', `functions, as gate > ${functions}`],
  ['reviewer-functions', 'an execution by the human-facing service', 'grant execute on function kiff.list_approvals,', 'grant execute on function kiff.open_execution, kiff.list_approvals,', 'logins', `functions, as reviewer > ${functions}`],
  ['auditor-reads', 'anything written by an auditor', 'grant select on all tables in schema kiff to kiff_auditor;', 'grant select, insert, update, delete on all tables in schema kiff to kiff_auditor;', 'logins', 'tables, as auditor > nothing can be written'],
  ['auditor-functions', 'a function called by an auditor', 'grant execute on function kiff.link to kiff_auditor;', 'grant execute on function kiff.link, kiff.read_facts to kiff_auditor;', 'logins', `functions, as auditor > ${functions}`],
  ['gate-no-tables', 'a table read or written by the gate', 'grant select on all tables in schema kiff to kiff_auditor;', 'grant select on all tables in schema kiff to kiff_auditor, kiff_gate;', 'logins', 'tables, as gate > no right exists'],
  ['reviewer-no-tables', 'a table read or written by the human-facing service', 'grant select on all tables in schema kiff to kiff_auditor;', 'grant select on all tables in schema kiff to kiff_auditor, kiff_reviewer;', 'logins', 'tables, as reviewer > no right exists'],
  ['functions-of-definer', 'a function that runs with all that the owner may', "execute format('alter function %s owner to kiff_definer', v_function);", 'null;', 'logins', 'belong to the definer, and look names up in kiff alone'],
  ['definer-creates-nothing', 'an object made by a function', 'revoke create on schema kiff from kiff_definer;', '', 'logins', 'can make nothing in the schema'],
])

export const secondLines = secondLinesOf('0006-views-and-rights', [])
