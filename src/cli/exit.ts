/** Exit codes; scripts rely on them. */
export const exit = { ok: 0, failure: 1, usage: 2, blocked: 3, approvalRequired: 4, verificationFailed: 5 } as const

/** An end that is told in one sentence, with its exit code. */
export class Failure extends Error {
  readonly code: number
  constructor(message: string, code: number = exit.failure) {
    super(message)
    this.name = 'Failure'
    this.code = code
  }
}

/** An environment variable that must be set. @throws Failure (usage) naming it */
export function required(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '') throw new Failure(`set ${name} in the environment`, exit.usage)
  return value
}
