/** What a person has found out about an execution, before it ends by that. */
import { guardsIn, type Guard, type SecondLine } from '../guard.ts'

export const reconcile: readonly Guard[] = [
  ...guardsIn('src/gate/reconcile.ts', 'test/store/conformance/gate-reconciliations.test.ts', [
    ['reconcile-signed', 'an unsigned answer ends an execution', "if (signed === null) return 'it is not signed by a key that this gate trusts'", 'if (signed === null) return null', 'the gate applies > nothing that is signed by another key', 'test/store/conformance/applied-reconciliations.test.ts'],
    ['reconcile-problem-stops', 'an answer that does not hold ends an execution', 'if (signed === null || problem !== null) return', 'if (signed === null) return', 'whose signature is for another person'],
    ['reconcile-verdict', 'a row says something else than its signature', 'signed.verdict === due.verdict && signed.reviewer', 'signed.reviewer', 'whose signature is for another verdict'],
    ['reconcile-reviewer', 'a row names another person than its signature', '&& signed.reviewer === due.reviewer &&', '&&', 'whose signature is for another person'],
    ['reconcile-digest', 'an answer to another question counts', 'signed.digest === sha256(due.request) &&', '', 'whose signature is for another question'],
    ['reconcile-signed-key', 'an answer about another execution counts', 'signed.execution_key === due.executionKey && signed.ordinal', 'signed.ordinal', 'whose signature is for another execution'],
    ['reconcile-signed-ordinal', 'an answer about an earlier attempt counts', '&& signed.ordinal === due.ordinal &&', '&&', 'whose signature is for another attempt'],
    ['reconcile-request-key', 'the question that was shown is about another execution', 'request.execution_key === due.executionKey && request.ordinal', 'request.ordinal', 'to a question about another execution'],
    ['reconcile-request-ordinal', 'the question that was shown is about an earlier attempt', '&& request.ordinal === due.ordinal &&', '&&', 'to a question about another attempt'],
    ['reconcile-opened-fields', 'the question that was shown says something else than what was opened', 'openedFields.every((field) => canonical(request[field] ?? null) === canonical(opened[field] ?? null)) &&', '', 'the gate does not believe the store > about what was opened', 'test/store/conformance/applied-reconciliations.test.ts'],
    ['reconcile-facts', 'the question was shown with other facts', "canonical(request.facts) === canonical(opened['facts'] ?? {})", 'true', 'the gate does not believe the store > about what was opened', 'test/store/conformance/applied-reconciliations.test.ts'],
    ['reconcile-is-of-this', 'an answer signed for something else counts', 'if (!isOfThis) return', 'if (false) return', 'whose signature is for another person'],
    ['reconcile-not-own', 'whoever proposed it says what became of it', "signed.reviewer === opened['actor'] ||", '', 'the gate does not believe the store > that whoever proposed it may say so', 'test/store/conformance/applied-reconciliations.test.ts'],
    ['reconcile-not-represented', 'the person acted for says what became of it', "|| signed.reviewer === opened['on_behalf_of'] ?", '?', 'of the person for whom it was proposed'],
    ['reconcile-contract', 'an output is judged by rules that are neither those it was opened by nor those registered last', 'return hash === opened || hash === newest ? contract : undefined', 'return contract', "the gate applies > nothing by a contract it does not have: another worker's business, unless it did not happen", 'test/store/conformance/applied-reconciliations.test.ts'],
    ['reconcile-opened-contract', 'a worker that has the very rules it was opened by leaves it', 'return hash === opened || hash', 'return hash', 'is applied by the contract that opened it, also once a newer one is registered'],
    ['reconcile-newest', 'what was opened before a deploy is never applied', 'return hash === opened || hash === newest ?', 'return hash === opened ?', 'is applied by the newer contract, and its row names the one that was opened'],
    ['reconcile-parameters', 'parameters that the contract cannot read stop all reconciliations', 'if (!inspection.ok) return { why:', 'if (!inspection.ok) return null; if (false) return { why:', 'is rejected on record where that has one parameter more'],
    ['reconcile-no-action', 'an answer about an action that there is no more waits for ever', 'return due.newest === null ? {', 'return false ? {', 'by a worker that has no such action'],
    ['reconcile-waits-for-newer', 'a worker with older rules rejects what the newer ones can judge', 'return due.newest === null ? {', 'return true ? {', 'is left alone by a worker whose contract is neither that one nor the newest'],
    ['reconcile-output', 'an output that the contract does not take', 'if (!accepted.ok) return { why: accepted.why }', '', 'the gate applies > nothing where the output is not what the contract takes: it says why, once, and a person answers anew', 'test/store/conformance/applied-reconciliations.test.ts'],
    ['reconcile-to-the-letter', 'something else is recorded than was signed', 'canonical(accepted.output) !== canonical(signed.output)', 'false', 'the gate applies > nothing that the schema would fill in: what is recorded is what was signed', 'test/store/conformance/applied-reconciliations.test.ts'],
    ['reconcile-throws', "an author's function that throws stops all reconciliations", 'return { why: `it cannot be judged', 'throw error; return { why: `it cannot be judged', 'because its contract fails on the facts it was opened with is rejected on record, and holds no other up'],
    ['reconcile-rejected-recorded', 'an answer that cannot be applied is tried for ever', 'await store.rejectReconciliation(', 'if (false) await store.rejectReconciliation(', 'nothing that is signed for another text', 'test/store/conformance/applied-reconciliations.test.ts'],
    ['reconcile-refused-by-database', 'events that the database refuses stop all reconciliations', "if (isRefusedByRule(error)) return 'the database refused the events'", '', 'because the database refuses its events'],
    ['reconcile-one-fault', 'an answer that cannot even be rejected holds up all others', '  }, onFault)\n}', '  }, (fault) => { throw fault })\n}', 'nor even rejected holds up no other, and is told', 'test/store/conformance/gate-reconciliations.test.ts'],
    ['reconcile-others-contract', 'a worker with other rules rejects what it cannot judge', 'if (ending === null) return', "if (ending === null) { await store.rejectReconciliation({ ...placeOf(due), body: rowOfOpened(due, 'reconciliation_rejected', []), why: 'x' }); return }", "the gate applies > nothing by a contract it does not have: another worker's business, unless it did not happen", 'test/store/conformance/applied-reconciliations.test.ts'],
  ]),
]

export const secondLines: readonly SecondLine[] = [
  { id: 'reconcile-output-canonical', file: 'src/gate/reconcile.ts', guards: 'an output that has no one form', behind: 'finding-usable: such an output is never signed' },
]
