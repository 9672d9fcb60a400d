/** Waiting for a person, visibly: a durable timer, the Temporal UI's current details, and typed search attributes. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common'
import { condition, setCurrentDetails, sleep, upsertSearchAttributes, workflowInfo, type ContinueAsNewOptions } from '@temporalio/workflow'
import type { Waiting } from '../core/store.ts'
import { searchAttributes } from '../temporal/names.ts'
import { droppedSignals, expectReviews, forgetReviews, hasReviews, looksAskedFor, takeReviews } from './reviews.ts'

const status = defineSearchAttributeKey(searchAttributes.status, SearchAttributeType.KEYWORD)
const entity = defineSearchAttributeKey(searchAttributes.entity, SearchAttributeType.KEYWORD)
const action = defineSearchAttributeKey(searchAttributes.action, SearchAttributeType.KEYWORD)
const pending = defineSearchAttributeKey(searchAttributes.pending, SearchAttributeType.INT)

export interface Awaited {
  readonly action: string
  readonly entityId: string
}

const open = new Map<Wait, Waiting>()

/** Shortest time between two looks at the same round. */
const minTimerMs = 5_000
/** After so many calls that brought nothing genuine, or nothing, the next one is delayed, doubling up to a minute. */
const freeRejections = 3

/** One wait, from the first time a person is asked until the gate's answer is final; rounds of re-asking included. */
export class Wait {
  readonly #subject: Awaited
  #approvalId = ''
  #rejections = 0
  /** Looks that were asked for before the gate was called last. */
  #looks = looksAskedFor()

  constructor(subject: Awaited) {
    this.#subject = subject
  }

  /** Sleeps until a signal has brought something, or asks for a look, or the deadline is over. @returns what arrived, unread. */
  async forReviews(answer: Waiting): Promise<string[]> {
    this.#show(answer)
    if (answer.rejected > 0) this.#rejections += 1
    if (this.#rejections > freeRejections) await sleep(Math.min(1_000 * 2 ** (this.#rejections - freeRejections), 60_000), { summary: 'too many reviews that are not genuine' })
    const timerMs = Math.max(answer.remainingMs + 1_000, minTimerMs)
    await condition(() => hasReviews(answer.approvalId) || looksAskedFor() > this.#looks, timerMs, { summary: `waiting for ${answer.reviewers} on ${this.#subject.action} ${this.#subject.entityId}`.slice(0, 200) })
    const reviews = takeReviews(answer.approvalId)
    if (reviews.length === 0 && looksAskedFor() > this.#looks) this.#rejections += 1
    this.#looks = looksAskedFor()
    return reviews
  }

  /** Ends the wait. Safe to call when it never began. */
  end(): void {
    if (!open.delete(this)) return
    forgetReviews(this.#approvalId)
    showOpenWaits()
    upsertSearchAttributes([
      { key: status, value: open.size > 0 ? 'waiting_for_approval' : 'running' },
      { key: pending, value: open.size },
    ])
  }

  #show(answer: Waiting): void {
    const begins = !open.has(this)
    if (this.#approvalId !== answer.approvalId) {
      forgetReviews(this.#approvalId)
      this.#approvalId = answer.approvalId
      expectReviews(answer.approvalId)
    }
    open.set(this, answer)
    showOpenWaits()
    if (!begins) return
    upsertSearchAttributes([
      { key: status, value: 'waiting_for_approval' },
      { key: entity, value: this.#subject.entityId },
      { key: action, value: this.#subject.action },
      { key: pending, value: open.size },
    ])
  }
}

/** What a run that is continued while it waits tells the next one, in which nothing waits yet: nothing, where the author has told it something. */
export function attributesOfNext({ searchAttributes: told, typedSearchAttributes: typed }: Pick<ContinueAsNewOptions, 'searchAttributes' | 'typedSearchAttributes'>): Pick<ContinueAsNewOptions, 'typedSearchAttributes'> {
  if (open.size === 0 || told !== undefined || typed !== undefined) return {}
  return { typedSearchAttributes: workflowInfo().typedSearchAttributes.updateCopy([{ key: status, value: 'running' }, { key: pending, value: 0 }]) }
}

function showOpenWaits(): void {
  const lines = [...open.values()].map(markdownOf)
  if (droppedSignals() > 0) lines.push(`${droppedSignals()} signals were dropped unread: too many at once, or unreadable.`)
  setCurrentDetails(lines.join('\n\n---\n\n'))
}

function markdownOf(answer: Waiting): string {
  const where = answer.link === null ? '' : ` — [decide in the inbox](${answer.link})`
  const changed = answer.changed === null ? '' : `\n- **asked again because:** ${plain(answer.changed)}`
  return [
    `**Waiting for a person:** ${plain(answer.summary)}${where}`,
    '',
    `- **why:** ${plain(answer.rule)}`,
    `- **from whom:** anyone who holds \`${answer.reviewers}\`, but not the one who asks`,
    `- **until:** ${answer.answerBy}${changed}`,
  ].join('\n')
}

/** Contract words may quote what an agent wrote (I12): no Markdown, no HTML. */
function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ').replaceAll(/[\\`*_{}[\]()<>#+!|~&:]/g, (character) => `\\${character}`).slice(0, 500)
}
