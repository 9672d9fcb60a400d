/**
 * Reviews that arrived by signal, unread. The handler never throws and never decides: whether one is genuine, only the gate
 * can tell. A flood is counted, then dropped; the relay sends a genuine one again.
 */
import { maxReviewLength, maxReviews } from '../core/proposal.ts'

interface Arrived {
  readonly approvalId: string | null
  readonly jws: string
}

const parked: Arrived[] = []
const waits = new Set<string>()
let dropped = 0

/** Queues whatever a signal brought. Total: accepts any value. */
export function receive(value: unknown): void {
  if (parked.length >= maxReviews) {
    dropped += 1
    return
  }
  parked.push({ approvalId: textField(value, 'approval_id'), jws: (textField(value, 'jws') ?? JSON.stringify(value) ?? 'undefined').slice(0, maxReviewLength) })
}

/** Says that reviews of this approval are awaited; those for no awaited approval go to any wait, to be recorded as rejected. */
export function expectReviews(approvalId: string): void {
  waits.add(approvalId)
}

export function forgetReviews(approvalId: string): void {
  waits.delete(approvalId)
}

/** True when there is something this wait has not judged yet. */
export function hasReviews(approvalId: string, judged: ReadonlySet<string>): boolean {
  return parked.some((review) => isFor(review, approvalId) && !judged.has(review.jws))
}

/** Takes what is for this wait, each once. */
export function takeReviews(approvalId: string, judged: Set<string>): string[] {
  const taken: string[] = []
  for (let index = parked.length - 1; index >= 0; index--) {
    const review = parked[index]
    if (review === undefined || !isFor(review, approvalId)) continue
    parked.splice(index, 1)
    if (judged.has(review.jws)) continue
    judged.add(review.jws)
    taken.unshift(review.jws)
  }
  return taken
}

/** Signals dropped because too many were waiting to be judged. */
export const droppedSignals = (): number => dropped

function isFor(review: Arrived, approvalId: string): boolean {
  return review.approvalId === approvalId || review.approvalId === null || !waits.has(review.approvalId)
}

function textField(value: unknown, name: string): string | null {
  const field: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
  return typeof field === 'string' ? field : null
}
