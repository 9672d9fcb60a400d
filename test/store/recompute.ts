/** The ledger's rule, in the migration's words and with nothing of ours: six lines, SHA-256. */
import { createHash } from 'node:crypto'
import type { AnyStore } from './any-store.ts'

const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex')

/** What is wrong with the rows of these chains, as whoever recomputes them would find it. */
export async function faultsOf(test: AnyStore, of: (chain: string) => boolean = () => true): Promise<string[]> {
  const [rows, chains] = await Promise.all([test.ledger(), test.chains()])
  const found = rows.filter(({ chain }) => of(chain))
  return found.flatMap((row, index) => {
    const before = found[index - 1]
    const first = before === undefined || before.chain !== row.chain || before.chainKind !== row.chainKind
    const last = found[index + 1]?.chain !== row.chain || found[index + 1]?.chainKind !== row.chainKind
    const end = chains.find(({ kind, key }) => kind === row.chainKind && key === row.chain)
    const expected = {
      digest: sha256(row.body),
      prev: first ? '' : before.hash,
      seq: first ? 1 : before.seq + 1,
      hash: sha256([row.prev, row.chainKind, row.chain, row.seq, row.at, row.digest].join('\n')),
    }
    const wrong = Object.entries(expected).filter(([field, value]) => Reflect.get(row, field) !== value).map(([field]) => field)
    if (last && (end?.head !== row.hash || end.seq !== row.seq)) wrong.push('head')
    return wrong.map((field) => `${row.chain}#${row.seq}: ${field}`)
  })
}
