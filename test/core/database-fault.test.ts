import { expect, test } from 'vitest'
import { databaseFault } from '../../src/postgres/database-fault.ts'

test.each<[string, (secret: string) => unknown]>([
  ['an error', (secret) => new Error(`authentication with ${secret} failed`)],
  ['several errors at once', (secret) => new AggregateError([new Error('no'), new Error(`neither with ${secret}`)])],
  ['something that is no error', (secret) => `password=${secret}`],
])('a password is told to nobody, also where it stands in %s', (_, fault) => {
  const url = new URL('postgres://kiff_gate:s%2Bcret@db.test:5432/kiff')
  for (const secret of ['s+cret', 's%2Bcret']) expect(databaseFault(url, fault(secret))).toMatch(/^db\.test:5432 cannot be used: (?!.*cret)/)
})
