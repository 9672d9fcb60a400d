/** The reports, as a table. */
import type { FaultReport } from './run.ts'

const columns: readonly (readonly [string, (report: FaultReport) => string | number])[] = [
  ['fault', ({ fault }) => fault],
  ['trials', ({ trials }) => trials],
  ['hit', ({ hit }) => hit],
  ['faults', ({ faults }) => faults],
  ['effects', ({ effects }) => effects],
  ['in doubt', ({ inDoubt }) => inDoubt],
  ['allowed', ({ told }) => told['allowed'] ?? 0],
  ['refused', ({ told }) => Object.entries(told).reduce((sum, [outcome, count]) => (outcome === 'allowed' ? sum : sum + count), 0)],
  ['violations', ({ violations }) => violations.length],
  ['seconds', ({ seconds }) => seconds],
]

export function tableOf(reports: readonly FaultReport[]): string {
  const sum = (of: (report: FaultReport) => string | number): string => String(reports.reduce((total, report) => total + Number(of(report)), 0))
  const lines = [columns.map(([name]) => name), ...reports.map((report) => columns.map(([, of]) => String(of(report)))), ['all', ...columns.slice(1).map(([, of]) => sum(of))]]
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)))
  return lines.map((line) => line.map((cell, index) => (index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0))).join('  ')).join('\n')
}
