/** The fields of KIFF's descriptor of a domain, as its `scaffold` takes it. */
import { z } from 'zod'

/** KIFF takes these words in any case, with spaces around them, and an empty one for the first. */
const word = <const Words extends readonly [string, ...string[]]>(words: Words) => z.preprocess(
  (value) => (typeof value === 'string' ? value.trim().toLowerCase() || words[0] : value),
  z.enum(words, { error: ({ input }) => `${JSON.stringify(input)} is none of ${words.join(', ')}` }),
)
const names = z.array(z.string())

export const descriptorShape = z.strictObject({
  domain: z.string(),
  entity: z.string(),
  adapter: z.string().optional(),
  events: names.min(1, 'there is none'),
  states: names.min(1, 'there is none'),
  transitions: z.array(z.strictObject({ on: z.string(), from: z.string().default(''), to: z.string() })),
  actions: z.array(z.strictObject({
    name: z.string(),
    allowed_states: names.min(1, 'there is none'),
    required_parameters: names.default([]),
    required_permissions: names.default([]),
    risk: word(['low', 'medium', 'high', 'critical']).default('low'),
    approval: word(['never', 'required']).default('never'),
    follow_up_events: names.default([]),
  })).min(1, 'there is none'),
  roles: z.record(z.string(), names).default({}),
})

export type Descriptor = z.infer<typeof descriptorShape>
export type DescribedAction = Descriptor['actions'][number]

/** What is wrong at one place, as in `actions[0].allowed_states[1]`. */
export interface Problem {
  readonly place: string
  readonly message: string
}
