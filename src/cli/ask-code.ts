/** The workflow code that these commands run: where it stands, sources or built, and by what a workflow of theirs is told. */
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'

/** Exports the workflows of `evaluate`, `propose`, `event` and `allowed`. */
export const askWorkflows = shipped('ask-workflow')
export const askInterceptors = shipped('ask-interceptors')

/** A task queue for one question; nobody else serves it. */
export const askQueue = (): string => `kiff-cli-${randomUUID()}`

/** A workflow whose tasks wait there runs the code above. */
export function isAskQueue(taskQueue: string): boolean {
  return /^kiff-cli-[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(taskQueue)
}

function shipped(module: string): string {
  return fileURLToPath(new URL(`./${module}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url))
}
