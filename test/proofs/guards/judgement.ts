/** The judgement itself: each check, and that its failure withholds. */
import { guardsIn, type Guard } from '../guard.ts'

export const judgement: readonly Guard[] = [
  ...guardsIn('src/core/gate.ts', 'test/core/gate.test.ts', [
    ['unknown-action', 'an action that the domain does not have is judged by no contract', 'if (contract === undefined) return refuse(\'unknown_action\', `there is no action ${proposal.action}`)', "if (contract === undefined) return { outcome: 'allowed', action: Object(null) }", 'each check > unknown_action'],
    ['fact-unread', 'a decision on facts of which one was not read', 'if (unread !== undefined) return', 'if (false) return', 'a declared fact that was not read refuses, rather than count as absent', 'test/core/fact.test.ts'],
    ['parameters-unparsed', 'a judgement on parameters that did not parse', 'if (!inspection.ok) return refuse(inspection.reason, inspection.message)\n  return permissions', 'return permissions', 'the first failing check wins > missing_parameter before permission_denied'],
    ['check-of-parameters', "parameters that the domain's own check refuses", 'ruled(action.check, \'invalid_parameter\', `the check of ${proposal.action}\'s parameters`) ??', '', "the words of the domain's own check refuse"],
    ['forbidden', 'an action that a rule of the contract forbids, whoever agrees', 'ruled(action.forbid, \'forbidden\', `the rule of ${proposal.action}`) ??', '', 'each check > forbidden'],
    ['actor-unproven', 'an action by an actor that is only named', 'if (actorProven !== true) return', 'if (false) return', 'each check > actor_unproven'],
    ['entity-unknown', 'an action on an entity of which no event was ever accepted', 'if (state === null && !isStateless(contract.entity)) return', 'if (false) return', 'each check > unknown_entity'],
    ['state-not-allowed', 'an action from a state that its contract does not name', '!contract.from.includes(state.value)', 'false', 'each check > state_not_allowed'],
    ['permission-not-held', 'an action by an actor who holds no role that permits it', 'return permissions.includes(contract.permission) ? null :', 'return true ? null :', 'each check > permission_denied'],
    ['rule-words-refuse', 'words of a rule read as no objection', 'return words === false ? null : refuse(reason, words)', 'return null', 'each check > forbidden'],
    ['rule-fails', 'an action whose check or rule throws', 'return refuse(\'error\', `${what} failed: ${wordsOfThrown(error)}`)', 'return null', 'a check that throws refuses, and says so'],
    ['approval-rule-fails', 'an approval rule that throws lets the action through', 'return refuse(\'approval_policy_error\', `the approval rule of ${name} failed: ${wordsOfThrown(error)}`)', 'rule = false', 'each check > approval_policy_error'],
    ['words-fail', 'an action that cannot be put into words is found out only after its effect', 'action.describe() // now', '// now', 'the first failing check wins > error before approval_required'],
    ['approval-required', 'an action that a person has to agree to is allowed at once', "return rule === false ? { outcome: 'allowed', action }", "return true ? { outcome: 'allowed', action }", 'each check > asks for approval in the words of the rule, only when all else holds'],
    ['empty-rule-asks', 'empty words of an approval rule read as "no approval needed"', "return rule === false ? { outcome: 'allowed'", "return !rule ? { outcome: 'allowed'", 'each check > an empty rule still asks: only `false` means that no approval is needed'],
    ['forbid-before-approval', 'a person is asked for what is forbidden anyway', '    ruled(action.forbid, \'forbidden\', `the rule of ${proposal.action}`) ??\n    approved(proposal, action)', "    approved(proposal, action) ?? ruled(action.forbid, 'forbidden', '')", 'the first failing check wins > forbidden before approval_required'],
  ]),
  ...guardsIn('src/core/outcome.ts', 'test/core/outcome.test.ts', [
    ['refusal-bounded', 'a refusal that quotes a proposal at any length', 'printable(message.slice(0, maxMessage))', 'printable(message)', 'a refusal > has a message of bounded length, whatever it quotes'],
    ['refusal-recordable', 'a refusal that Postgres cannot hold', 'message: printable(message.slice', 'message: (message.slice', 'has a message that can be recorded'],
  ]),
]
