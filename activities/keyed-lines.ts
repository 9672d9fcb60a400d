/** A file of JSON lines, each under a key of its own and written once: how the example's outside parties keep their books. */
import { appendFileSync, closeSync, existsSync, fsyncSync, openSync, readFileSync } from 'node:fs'
import { z } from 'zod'

const Line = z.strictObject({ key: z.string(), id: z.string(), at: z.string(), entry: z.unknown() })

export interface KeyedLine<Entry> {
  readonly id: string
  readonly entry: Entry
}

export interface KeyedLines<Entry> {
  /** Writes `entry` under `key`, on disk (fsync) when it returns; a key that is known gets the line it got before. @throws Error when that one is another entry */
  readonly once: (key: string, entry: Entry) => KeyedLine<Entry>
  /** Every line, oldest first. */
  readonly all: () => readonly KeyedLine<Entry>[]
}

/** Opens the file at `path`, or begins it. Ids are `<prefix>-000001`, counted on. @throws Error when a line in it is not one of these */
export function openKeyedLines<Entry>(path: string, prefix: string, schema: z.ZodType<Entry>): KeyedLines<Entry> {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const lines = new Map(text.split('\n').filter((line) => line !== '').map((line) => {
    const { key, id, entry } = Line.parse(JSON.parse(line))
    return [key, { id, entry: schema.parse(entry) }] as const
  }))
  return {
    once(key, entry) {
      const known = lines.get(key)
      if (known !== undefined) {
        if (JSON.stringify(known.entry) !== JSON.stringify(entry)) throw new Error(`key ${key} was used for another entry of ${path}`)
        return known
      }
      const line = { id: `${prefix}-${String(lines.size + 1).padStart(6, '0')}`, entry: schema.parse(entry) }
      append(path, JSON.stringify({ key, id: line.id, at: new Date().toISOString(), entry: line.entry }))
      lines.set(key, line)
      return line
    },
    all: () => [...lines.values()],
  }
}

function append(path: string, line: string): void {
  const file = openSync(path, 'a')
  try {
    appendFileSync(file, `${line}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
