/** Contracts: parameters, outputs, schemas, and the one text form of everything. */
import { guardsIn, type Guard, type SecondLine } from '../guard.ts'

export const contracts: readonly Guard[] = [
  ...guardsIn('src/core/define-action.ts', 'test/core/contract.test.ts', [
    ['params-canonical', 'parameters that no digest can cover', "canonical(raw, 'params')", '', 'parameters > 1e300 is invalid, and the message names the place'],
    ['params-schema', 'parameters that their schema refuses', "if (!result.success) return { ok: false, ...firstIssue(result.error, raw, 'params') }", '', 'parameters > one absent inside another is missing too'],
    ['params-unchanged', 'the executor sees other parameters than were proposed', 'if (changed !== undefined) return', 'if (false) return', 'nothing is changed silently between what was proposed and what runs > a list that would grow is refused'],
    ['params-frozen', 'a rule or an executor changes what was judged', 'const params = deepFreeze(result.data)', 'const params = result.data', 'parameters > what the executor gets is frozen to the bottom'],
    ['facts-frozen', 'a rule changes the facts it was given', 'deepFreeze(readFacts(declared, events, loaded))', 'readFacts(declared, events, loaded)', 'cannot be changed by a rule', 'test/core/loading.test.ts'],
    ['params-throw', 'a schema that throws stops the gate', 'const problem = error instanceof NotCanonical ? error.message :', 'if (!(error instanceof NotCanonical)) throw error; const problem = error instanceof NotCanonical ? error.message :', "nothing is changed silently between what was proposed and what runs > a domain's own check that throws refuses, rather than fails for ever"],
    ['output-schema', 'output that its schema refuses', 'const output = spec.output.safeParse(raw)', 'const output = { success: true as const, data: raw as z.output<Output>, error: Object(null) }', 'one of another shape', 'test/core/accept-output.test.ts'],
    ['output-as-it-reads', 'an executor changes what it has returned after it was judged', "asItReads(output.data, 'output') as typeof output.data", 'output.data', 'keeps what it has returned, and changes it', 'test/workflows/executors-misbehaving.test.ts'],
    ['emitted-payload', 'an emitted payload that its schema refuses', 'if (!payload.success) return', 'if (false) return', 'a payload that is not what the event says is not accepted'],
    ['emitted-as-it-reads', 'an emitted payload that no record can hold', 'payload: asItReads(payload.data, `event ${type}`)', 'payload: payload.data', 'a payload that cannot be recorded is not accepted'],
    ['accept-total', 'an `emits` that throws loses an effect that has happened', 'return { ok: false, message: wordsOfThrown(error) }', 'throw error', 'a payload that cannot be derived is not accepted'],
    ['always-asks', `a rule that finds nothing takes a contract's "always" away`, 'const rules = [always, added].filter', 'const rules = [when === undefined ? always : added].filter', 'an approval > a rule beside a static requirement adds to it and never takes it away: it says more', 'test/core/fact.test.ts'],
    ['rule-neither', 'a rule that gives neither words nor false reads as "no objection"', "if (typeof rule !== 'string') throw new TypeError", "if (typeof rule !== 'string') return false; if (false) throw new TypeError", 'a rule that gives neither words nor false > null never reads as "no approval needed"', 'test/core/gate.test.ts'],
    ['approval-has-rule', 'an approval that asks for nothing', 'if (always === undefined && when === undefined) throw', 'if (false) throw', 'an approval > without a rule is refused at load', 'test/core/fact.test.ts'],
    ['quorum-range', 'a quorum of nobody, or of a crowd', 'if (!Number.isInteger(quorum) || quorum < 1 || quorum > maxQuorum) throw', 'if (false) throw', 'an approval > of 0 people is refused at load', 'test/core/fact.test.ts'],
    ['idempotent-duration', 'an idempotency that ends at no time', "if (typeof spec.effect === 'object') durationMs(spec.effect.idempotentFor) //", '//', 'a duration that is none is refused', 'test/core/schema.test.ts'],
    ['words-once', "an action's words change between what a person read and what is answered", '(words ??= printable(spec.describe(context)))', 'printable(spec.describe(context))', 'words > are told once, and stay so'],
    ['words-printable', 'words that no record can hold', '(words ??= printable(spec.describe(context)))', '(words ??= spec.describe(context))', 'words > that cut a character in half can still be recorded'],
  ]),
  ...guardsIn('src/core/schema.ts', 'test/core/schema.test.ts', [
    ['schema-changing', 'a schema that yields another value than came in', 'if (changing.has(def.type)) throw', 'if (false) throw', 'a schema that does not yield the JSON that came in is refused when the module is loaded > pipe'],
    ['schema-coerce', 'a schema that converts', "if ('coerce' in def && def.coerce) throw", 'if (false) throw', 'a schema that does not yield the JSON that came in is refused when the module is loaded > coerce to text'],
    ['schema-unrepresentable', 'a schema that no JSON Schema can tell', "unrepresentable: 'throw'", "unrepresentable: 'any'", 'the rule holds wherever a schema is declared > in the output of an action'],
    ['schema-pattern', 'a pattern that matches a part of a text', 'if (problem !== undefined) throw new TypeError(problem)', 'if (false) throw new TypeError(problem)', '/^[a-z]+/ matches a part: refused'],
    ['schema-canonical', "a schema that the contract's hash cannot cover", "canonical(json, 'schema') //", '//', 'a schema that does not yield the JSON that came in is refused when the module is loaded > a bound that no canonical JSON can tell'],
    ['change-scalar', 'a value that parsing has changed', 'return raw === parsed ? undefined : path', 'return undefined', 'nothing is changed silently between what was proposed and what runs > text that would be trimmed is refused', 'test/core/contract.test.ts'],
    ['change-array', 'members of a list that parsing has dropped', 'raw.length !== parsed.length', 'false', 'nothing is changed silently between what was proposed and what runs > a list that would grow is refused', 'test/core/contract.test.ts'],
    ['change-member', 'a member that parsing has dropped or changed', 'if (change !== undefined) return change', '', 'nothing is changed silently between what was proposed and what runs > a list that would grow is refused', 'test/core/contract.test.ts'],
  ]),
  ...guardsIn('src/core/pattern.ts', 'test/core/schema.test.ts', [
    ['pattern-flags', 'a flag that no JSON Schema tells', 'if (/[^uv]/.test(flags)) return', 'if (false) return', 'a pattern has to say what the whole text may be > /^.$/s has a flag that no schema tells: refused'],
    ['pattern-whole', 'a pattern that matches a part reads as a bound', 'if (!isWhole(source)) return', 'if (false) return', 'a pattern has to say what the whole text may be > /[a-z]+/ matches a part: refused'],
    ['pattern-begins', 'a pattern without a beginning', "!source.startsWith('^') ||", '', 'a pattern has to say what the whole text may be > /[a-z]+$/ matches a part: refused'],
    ['pattern-ends', 'a pattern without an end', "|| !source.endsWith('$')) return", ') return', 'a pattern has to say what the whole text may be > /^[a-z]+/ matches a part: refused'],
    ['pattern-escaped-end', 'a pattern whose end is escaped', 'if (index === source.length - 1) return false', '', String.raw`a pattern has to say what the whole text may be > /^[a-z]+\$/ matches a part: refused`],
    ['pattern-alternation', 'a branch of a pattern without beginning or end', "else if (character === '|' && depth === 0) return false", '', 'a pattern has to say what the whole text may be > /^a|b$/ matches a part: refused'],
    ['pattern-class', 'brackets hide an alternation', "else if (inClass) inClass = character !== ']'", '', 'a pattern has to say what the whole text may be > /^[a|b]$/ is taken'],
  ]),
  ...guardsIn('src/core/canonical.ts', 'test/core/canonical.test.ts', [
    ['canonical-depth', 'nesting without end', 'if (depth > maxDepth) throw', 'if (false) throw', 'what has no canonical form > nesting is refused from 65 levels on'],
    ['canonical-plain', 'an object that is more than its members', 'if (prototype !== null && Object.getPrototypeOf(prototype) !== null) throw', 'if (false) throw', 'what has no canonical form > a Map is refused, alone and inside'],
    ['canonical-order', 'one value with two texts', '.sort(([a], [b]) => (a < b ? -1 : 1))', '', 'text > sorts integer-like member names as text'],
    ['canonical-proto', 'a member that sets a prototype', "if (key === '__proto__') throw", 'if (false) throw', 'what has no canonical form > a member named __proto__ is refused'],
    ['canonical-nul', 'a text that Postgres cannot hold', String.raw`if (value.includes('\u0000')) throw`, 'if (false) throw', 'what has no canonical form > U+0000 is refused, alone and inside'],
    ['canonical-surrogate', 'a text that has no UTF-8', 'if (!value.isWellFormed()) throw', 'if (false) throw', 'what has no canonical form > a member name with a lone surrogate is refused'],
    ['canonical-finite', 'a number that is not JSON', 'if (!Number.isFinite(value)) throw', 'if (false) throw', 'what has no canonical form > the path names the place'],
    ['canonical-negative-zero', 'a number with two texts', 'if (Object.is(value, -0)) throw', 'if (false) throw', 'what has no canonical form > negative zero is refused, alone and inside'],
    ['canonical-safe', 'a number that readers round', 'if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw', 'if (false) throw', 'what has no canonical form > 2^53 is refused, alone and inside'],
    ['printable-nul', 'text with U+0000 reaches Postgres', String.raw`return text.replaceAll('\u0000', '\u2400').toWellFormed()`, 'return text.toWellFormed()', 'any text can be made recordable'],
    ['printable-surrogate', 'text with a lone surrogate reaches Postgres', String.raw`return text.replaceAll('\u0000', '\u2400').toWellFormed()`, String.raw`return text.replaceAll('\u0000', '\u2400')`, 'any text can be made recordable'],
  ]),
  ...guardsIn('src/core/ledger-row.ts', 'test/core/ledger-row.test.ts', [
    ['recordable', 'hostile input leaves no record', 'if (isCanonical(value)) return value', 'return value as Json', 'hostile input can be recorded > NaN: kept as its hash and an excerpt'],
    ['recordable-total', 'a value that JSON cannot say loses its record', '} catch {\n    return typeof value', '} catch (error) {\n    throw error', 'hostile input can be recorded > a cycle: kept as its hash and an excerpt'],
    ['params-in-row', 'a row without the parameters that were judged', 'params: row.params === undefined ? undefined : recordable(row.params)', 'params: undefined', 'what a row does not speak of is left out'],
    ['messages-printable', 'an audit message that no record can hold', 'message: printable(message), data', 'message, data', 'hostile input can be recorded > in messages'],
    ['decision-printable', "a decision's message that no record can hold", 'message: printable(row.decision.message)', 'message: row.decision.message', 'hostile input can be recorded > in messages'],
  ]),
]

export const secondLines: readonly SecondLine[] = [
  { id: 'emitted-declared', file: 'src/core/define-action.ts', guards: 'an event that its entity does not declare', behind: 'verifyDomain, when the domain is loaded' },
]
