/** What the person at the keyboard can put right. Its message is one sentence that says what to do; show it without a stack trace. */
export class SetupError extends Error {
  override readonly name = 'SetupError'
  /** 2 for what was typed or configured wrongly, 1 for everything else. */
  readonly exitCode: 1 | 2

  constructor(message: string, options: { readonly cause?: unknown; readonly exitCode?: 1 | 2 } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.exitCode = options.exitCode ?? 1
  }
}
