/** A script in a model's place, behind the same activity: for tests and tours, which have to come out the same every time. */
import type { Message, Model, ToolCall } from './model.ts'

/** A turn of the script. It is taken once, and only when each call in `after` has come to that answer. */
export interface ScriptedTurn {
  /** Call id → `allowed`, `pending`, or the reason of a refusal. */
  readonly after?: Readonly<Record<string, string>>
  readonly text: string
  readonly calls?: readonly ToolCall[]
}

/** Plays the script: at each turn the first line not yet said whose time has come. @throws TypeError when two turns say the same */
export function scriptedModel(script: readonly ScriptedTurn[]): Model {
  if (new Set(script.map(({ text }) => text)).size < script.length) throw new TypeError('each turn of a script says something of its own')
  return {
    async nextTurn({ transcript }) {
      const said = new Set(transcript.flatMap((message) => (message.role === 'model' ? [message.text] : [])))
      const answers = answersIn(transcript)
      const turn = script.find(({ text, after = {} }) => !said.has(text) && Object.entries(after).every(([id, answer]) => answers.get(id) === answer))
      if (turn !== undefined) return { text: turn.text, calls: turn.calls ?? [] }
      return { text: [...answers.values()].includes('pending') ? 'I wait for a person.' : 'I have nothing left to do.', calls: [] }
    },
  }
}

/** The last answer to each call. */
function answersIn(transcript: readonly Message[]): ReadonlyMap<string, string> {
  const results = transcript.flatMap((message) => (message.role === 'results' ? message.results : []))
  return new Map(results.map(({ id, result }) => [id, 'reason' in result ? result.reason : result.outcome]))
}
