/** Parameters as rows of a table: name, value, type. */

export interface ParamRow {
  readonly name: string
  readonly value: string
  readonly type: 'text' | 'number' | 'yes or no' | 'nothing' | 'empty list' | 'empty group' | 'not shown'
}

const maxRows = 100

/** One row for each value inside `params`, named by its path (`items[0].sku`); beyond 100, the last row counts the others. */
export function paramRows(params: unknown): readonly ParamRow[] {
  const rows: ParamRow[] = []
  collect('', params, rows)
  if (rows.length <= maxRows) return rows
  const others = rows.length - maxRows
  return [...rows.slice(0, maxRows), { name: '…', value: `${others.toLocaleString('en')} more values`, type: 'not shown' }]
}

function collect(name: string, value: unknown, rows: ParamRow[]): void {
  if (Array.isArray(value)) {
    if (value.length === 0) rows.push({ name, value: '(none)', type: 'empty list' })
    for (const [index, item] of value.entries()) collect(`${name}[${index}]`, item, rows)
  } else if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
    if (members.length === 0 && name !== '') rows.push({ name, value: '(none)', type: 'empty group' })
    for (const [key, member] of members) collect(name === '' ? key : `${name}.${key}`, member, rows)
  } else if (typeof value === 'string') {
    rows.push({ name, value: value === '' ? '(empty)' : value, type: 'text' })
  } else if (typeof value === 'number') {
    rows.push({ name, value: String(value), type: 'number' })
  } else if (typeof value === 'boolean') {
    rows.push({ name, value: value ? 'yes' : 'no', type: 'yes or no' })
  } else {
    rows.push({ name, value: '(nothing)', type: 'nothing' })
  }
}
