/** Reports as people read them: a table, then what was found, then one sentence. */
import type { ChainReport } from './chain.ts'
import { checkNames, type ReplayReport, type ReplayStep } from './replay.ts'

/** Colours, where the reader's terminal has them and NO_COLOR does not forbid them. */
export interface Ink {
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
}

export function inkFor(stream: { readonly isTTY?: boolean }, env: Readonly<Record<string, string | undefined>> = process.env): Ink {
  const coloured = stream.isTTY === true && (env['NO_COLOR'] ?? '') === ''
  const ink = (code: number) => (text: string): string => (coloured ? `\u001b[${code}m${text}\u001b[39m` : text)
  return { good: ink(32), bad: ink(31) }
}

/** The table, the findings, and the verdict. */
export function printReplay(report: ReplayReport, ink: Ink): string {
  const lines = table([['step', 'event', 'activity', 'entity', 'outcome', 'ledger', ...checkNames], ...report.steps.map(cellsOf)])
  const told = lines.map((line, index) => (report.steps[index - 1]?.problem === undefined ? line : ink.bad(line)))
  const unchecked = report.signatures === 'not_checked' ? ['The signatures of the reviews were not checked; give their public keys with --review-keys.'] : []
  return [...told, '', ...report.findings.map(({ step, message }) => ink.bad(plain(`${step === null ? '' : `step ${step}: `}${message}`))), ...unchecked, verdictOf(report, ink)].join('\n')
}

export function printChains(report: ChainReport, ink: Ink): string {
  const found = report.findings.map(({ chain, seq, kind, message }) => ink.bad(plain(`${chain}#${seq}  ${kind}: ${message}`)))
  const counted = `${count(report.rows, 'row')} in ${count(report.chains, 'chain')}`
  return [...found, report.ok ? ink.good(`${counted} verified`) : ink.bad(`${counted} read, ${count(report.findings.length, 'finding')}`)].join('\n')
}

/** The first step that differs, and how; or that all agree. */
export function verdictOf(report: ReplayReport, ink: Ink): string {
  if (report.ok) return ink.good(plain(`${report.workflowId}: ${count(report.steps.length, 'governed step')}, all as recorded`))
  const first = report.steps.find(({ problem }) => problem !== undefined)
  if (first === undefined) return ink.bad(plain(`${report.workflowId}: ${report.findings[0]?.message ?? 'it differs'}`))
  return ink.bad(plain(`${report.workflowId}: step ${first.index} (${first.activity}${first.entity === null ? '' : ` ${first.entity}`}) is the first that differs: ${first.problem}`))
}

function cellsOf(step: ReplayStep): string[] {
  const { index, eventId, activity, entity, outcome, reason, record, checks } = step
  return [
    String(index), String(eventId), activity, entity ?? '-', reason === undefined ? outcome : `${outcome} (${reason})`, record === null ? '-' : `#${record.seq}`,
    ...checkNames.map((name) => (checks[name] === null ? '-' : checks[name] ? 'ok' : 'NO')),
  ]
}

function table(rows: readonly (readonly string[])[]): string[] {
  const cells = rows.map((row) => row.map(plain))
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0))) ?? []
  return cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd())
}

/** Reports quote what agents wrote (I12): no control or formatting character reaches the terminal. */
function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '·')
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
