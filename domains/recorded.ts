/** Reading an entity's recorded events, in facts. */

/** What the last of these events says. @throws Error when there is none: then nothing may rest on it */
export function latest<Payload>(events: readonly { readonly payload: Payload }[]): Payload {
  const last = events.at(-1)
  if (last === undefined) throw new Error('no such event is recorded')
  return last.payload
}
