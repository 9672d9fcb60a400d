/** Starting a worker. */
import { guardsIn, type Guard } from '../guard.ts'

export const plugin: readonly Guard[] = [
  ...guardsIn('src/gate/plugin.ts', 'test/workflows/plugin.test.ts', [
    ['gate-login', 'a gate runs with another login than its own', "await requireLogin(this.#pool, 'gate', this.#gate.databaseUrl)", '', "the auditor's login stops at start", 'test/workflows/gate-start.test.ts'],
    ['gate-contracts', 'a gate runs with rules that nobody has registered', 'await checkContracts(this.#pool, this.#gate.bound)', '', 'a gate worker whose contracts are not registered'],
    ['users-interceptors', "other plugins' activity interceptors are dropped", 'activityInbound === undefined ? configured :', 'true ? configured :', "leaves the user's own"],
    ['interceptor-once', 'our interceptors stand twice', 'modules.filter((module) => module !== interceptorModule)', 'modules', 'registered twice'],
    ['search-attributes', 'an agent worker starts on a server that would refuse its first wait', 'if (this.#client !== undefined && runsWorkflows) await', 'if (false) await', 'a workflow worker whose namespace lacks'],
  ]),
  ...guardsIn('src/postgres/database-fault.ts', 'test/workflows/gate-start.test.ts', [
    ['login-is-its-own', 'a service runs with another login than its own', 'if (found?.user !== `kiff_${login}`) throw', 'if (false) throw', "the auditor's login stops at start"],
    ['login-migrated', 'a service runs on a database that holds nothing of ours', 'if (!found.migrated) throw', 'if (found === undefined) throw', 'a database that is not ours stops'],
    ['password-hidden', 'a password stands in an error', "(secret === '' ? text : text.replaceAll(secret, '***'))", 'text', 'also where it stands in an error', 'test/core/database-fault.test.ts'],
  ]),
  ...guardsIn('src/postgres/rows.ts', 'test/core/lost-races.test.ts', [
    ['lost-races', 'a lost race is a fault instead of read again', "['40001', '40P01', '23505'].includes(error.code ?? '')", 'false', 'a lost race, by a serialization failure'],
    ['lost-race-unique', 'the last guard, a unique index, is a fault instead of read again', "'40P01', '23505']", "'40P01']", 'by a unique index that was the last guard'],
  ]),
  ...guardsIn('src/postgres/gate-store.ts', 'test/core/lost-races.test.ts', [
    ['completion-not-swallowed', 'a completion that the database refuses is read again as if nothing had happened', "toCompleted(await callFunction(pool, 'kiff.complete_execution', [body, executionKey, json(answer), json(end)])),", "commit('kiff.complete_execution', [body, executionKey, json(answer), json(end)]),", 'of a completion nothing is swallowed: the effect has happened (23505)'],
  ]),
  ...guardsIn('src/gate/unknown-keys.ts', 'test/workflows/gate-start.test.ts', [
    ['unknown-keys-bounded', "anybody fills the gate's log", '|| told.size >= most) return', ') return', "a gate worker's log says so once a key"],
    ['unknown-keys-once', "one foreign key fills the gate's log", 'told.has(unknown) ||', '', "a gate worker's log says so once a key"],
    ['unknown-keys-told', 'reviews signed by a key that the gate was not given just seem not to count', 'if (told.has(unknown) || told.size >= most) return', 'return', "a gate worker's log says so once a key"],
  ]),
]
