/** Declared facts: read by the gate, and by what their schemas say. */
import { guardsIn, type Guard } from '../guard.ts'

export const facts: readonly Guard[] = [
  ...guardsIn('src/core/fact.ts', 'test/core/fact.test.ts', [
    ['fact-schema', 'a fact that is not what its schema says', 'const result = schema.safeParse(value)', 'const result = { success: true as const, data: value, error: Object(null) }', 'are not judged by half: a derived value that is none'],
    ['fact-canonical', 'a fact that no digest can cover', 'canonical(result.data, `fact ${name}`)', '', 'has a form that a digest can cover', 'test/core/loading.test.ts'],
    ['fact-loaded-schema', 'what is loaded is not what its schema says', 'spec.derive(accepted(spec.loads, loaded[name], name))', 'spec.derive(loaded[name])', 'are not judged by half: a loaded value that is none'],
    ['fact-own-events', 'a fact is derived from events it does not declare', 'spec.derive(events.filter(({ type }) => spec.events.includes(type)))', 'spec.derive(events)', 'the facts of a contract > are derived from the events they name, payloads parsed anew, and from what was loaded'],
    ['fact-json', 'a fact whose schema does not yield JSON', "jsonSchemaOf(schema, 'fact')", '', 'as a loaded fact, or as what one is made from', 'test/core/loading.test.ts'],
    ['fact-loads-json', 'what is loaded by a schema that does not yield JSON', "jsonSchemaOf(loads, 'what is loaded')", '', 'as a loaded fact, or as what one is made from', 'test/core/loading.test.ts'],
  ]),
  ...guardsIn('src/core/entity.ts', 'test/core/fact.test.ts', [
    ['fact-declared-event', 'a fact from an event that nobody declares', 'if (!Object.hasOwn(events, event)) throw', 'if (false) throw', 'the facts of a contract > a fact from an event that is not declared is refused at load'],
    ['past-parsed', "a rule rests on a recorded event that is not what today's schema says", 'if (parsed?.success !== true) throw', 'if (false) throw', 'the facts of a contract > are not judged by half: a recorded payload that is none any more'],
    ['payload-json', 'an event whose payload is not plain JSON', 'jsonSchemaOf(payload, `${name}.${event}`)', 'void payload', 'in the payload of an event', 'test/core/schema.test.ts'],
  ]),
  ...guardsIn('src/gate/declared-facts.ts', 'test/testing/scene.test.ts', [
    ['facts-not-for-refused', 'facts are loaded for whoever may not do the thing', 'facts.permissions }) !== null) return {}', 'facts.permissions }) !== null && false) return {}', 'a fact is not loaded for one who may not', 'test/testing/facts-read.test.ts'],
    ['loader-bound', 'a fact without a loader reads as absent', 'if (load === undefined) throw', 'if (load === undefined) return [name, undefined] as const; if (false) throw', 'what is loaded > or is not given at all, withholds as well'],
    ['loader-deadline', 'a loader that never answers holds the gate', 'return Promise.race([loading, aborted])', 'return loading', 'a loader that never answers holds nothing up: the action is withheld, and nothing is recorded of it'],
    ['facts-fault-withholds', 'a fact that cannot be read lets the action be judged without it', 'throw ApplicationFailure.create({ type: failures.factsUnavailable', 'return {}; throw ApplicationFailure.create({ type: failures.factsUnavailable', 'what is loaded > and cannot be, withholds: Temporal would try again'],
  ]),
  ...guardsIn('src/gate/binding.ts', 'test/core/loading.test.ts', [
    ['executor-for-known-action', 'an executor for an action that the domain does not have', 'if (!Object.hasOwn(domain.actions, action)) throw', 'if (false) throw', 'an executor for an action that there is not'],
    ['loader-for-known-fact', 'a loader for a fact that the domain does not load', 'if (!loaded) throw', 'if (false) throw', 'a loader for a fact that there is not'],
  ]),
]
