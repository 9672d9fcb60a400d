/**
 * Reviews that arrived by signal, unread. The handler never throws and never decides: whether one is genuine, only the gate
 * can tell. A flood is counted, then dropped; the relay sends a genuine one again, until its round is closed.
 */
import { maxReviewLength, maxReviews } from '../core/approval.ts'
import { nothingRuns } from './chain.ts'

interface Arrived {
  readonly approvalId: string | null
  readonly jws: string
}

const parked: Arrived[] = []
/** How many waits there are for each round: a proposal may be made twice at once, under one key. */
const awaited = new Map<string, number>()
const past = new Set<string>()
let dropped = 0
let looks = 0

/** Queues whatever a signal brought: one signed review, or all those of a round; with an empty list, every wait looks again. Total: accepts any value. */
export function receive(value: unknown): void {
  if (bringsNone(value)) {
    looks += 1
    return
  }
  const approvalId = textField(value, 'approval_id')
  for (const jws of signedReviews(value).slice(0, maxReviews)) park({ approvalId, jws: jws.slice(0, maxReviewLength) })
}

/** How often the human-facing service has asked for a look. */
export const looksAskedFor = (): number => looks

function bringsNone(value: unknown): boolean {
  const jws: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'jws') : undefined
  return Array.isArray(jws) && jws.length === 0
}

function signedReviews(value: unknown): readonly string[] {
  const jws: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'jws') : undefined
  if (typeof jws === 'string') return [jws]
  if (Array.isArray(jws) && jws.every((each) => typeof each === 'string')) return jws
  return [JSON.stringify(value) ?? 'undefined']
}

function park(review: Arrived): void {
  const { approvalId, jws } = review
  // The relay repeats itself: what is queued already, or was for a round that has ended, tells nothing new.
  if (approvalId !== null && past.has(approvalId)) return
  if (parked.some((known) => known.approvalId === approvalId && known.jws === jws)) return
  if (parked.length >= maxReviews) countDropped(1)
  else parked.push(review)
}

/** Says that reviews of this approval are awaited, perhaps again; those for no awaited approval go to any wait, to be recorded as rejected. */
export function expectReviews(approvalId: string): void {
  awaited.set(approvalId, (awaited.get(approvalId) ?? 0) + 1)
  past.delete(approvalId)
}

/** Says that a wait for this round has ended; with the last of them, what comes for it tells nothing any more. */
export function forgetReviews(approvalId: string): void {
  const others = (awaited.get(approvalId) ?? 0) - 1
  if (others > 0) {
    awaited.set(approvalId, others)
    return
  }
  if (awaited.delete(approvalId)) past.add(approvalId)
  for (let index = parked.length - 1; index >= 0; index--) {
    if (parked[index]?.approvalId === approvalId) parked.splice(index, 1)
  }
}

/** True when there is something for this wait to have judged. */
export function hasReviews(approvalId: string): boolean {
  return parked.some((review) => isFor(review, approvalId))
}

/** Takes what is for this wait. */
export function takeReviews(approvalId: string): string[] {
  const taken = parked.filter((review) => isFor(review, approvalId))
  for (const review of taken) parked.splice(parked.indexOf(review), 1)
  return taken.map(({ jws }) => jws)
}

export function countDropped(signals: number): void {
  dropped += signals
}

/** Signals dropped unread: too many were waiting to be judged, or they could not be decoded. */
export const droppedSignals = (): number => dropped

function isFor(review: Arrived, approvalId: string): boolean {
  if (review.approvalId === approvalId) return true
  if (review.approvalId !== null && awaited.has(review.approvalId)) return false
  // A call under way may be the one that asks for it: its review can be faster than its answer.
  return review.approvalId === null || nothingRuns() || parked.length >= maxReviews
}

function textField(value: unknown, name: string): string | null {
  const field: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
  return typeof field === 'string' ? field : null
}
