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
