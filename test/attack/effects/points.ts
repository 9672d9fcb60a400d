/** Where a gate process can fall: around each of the database's functions that a gate calls, around a payment, and before the server is told. */

export const functions = [
  'read_facts', 'open_execution', 'resume_execution', 'complete_execution', 'execute_pure', 'record_answer', 'request_approval', 'mark_in_doubt', 'yield_lease',
  'report_event', 'overdue_executions', 'due_reconciliations', 'apply_reconciliation', 'reject_reconciliation', 'record_contradiction',
] as const
export type DatabaseFunction = (typeof functions)[number]

/** `during`: sent, and the answer not waited for. `telling`: the activity is done, and its completion not yet sent. */
export type Point = `${'before' | 'during' | 'after'} ${DatabaseFunction | 'paying'}` | 'before telling'

export const points: readonly Point[] = [
  ...functions.flatMap((name): Point[] => [`before ${name}`, `during ${name}`, `after ${name}`]),
  'before paying', 'during paying', 'after paying', 'before telling',
]

/** What a gate process is told at its start: at which point it falls. From its nth passage on, at the first when enough is under way, or when that has taken too long. */
export interface Fall {
  readonly point: Point
  readonly nth: number
  /** How many activities are to be under way; left out, any number, or none. */
  readonly company?: number
  /** SIGSTOP: it freezes, and may be thawed. */
  readonly how: 'SIGKILL' | 'SIGSTOP'
  /** For `during`: how long after sending; milliseconds. */
  readonly delayMs: number
}

/** Its last words: what was under way in it when it fell, and how far each had come. The first is what made it fall. */
export interface LastWords {
  readonly fallen: Fall
  readonly under_way: readonly { readonly order: string; readonly point: string }[]
}
