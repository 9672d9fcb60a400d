/** The typed search attributes a governed workflow upserts; on a server without them its tasks would fail for ever. */
import type { Client } from '@temporalio/client'
import { searchAttributeHelp, searchAttributes } from './names.ts'

/** @throws Error with the command to run when the namespace lacks one of them. A server that will not tell is taken at its word. */
export async function checkSearchAttributes(client: Client, namespace: string): Promise<void> {
  const known = await client.connection.operatorService.listSearchAttributes({ namespace }).catch(() => undefined)
  if (known === undefined) return
  const missing = Object.values(searchAttributes).filter((name) => !(name in known.customAttributes))
  if (missing.length > 0) throw new Error(`namespace ${namespace} lacks the search attributes ${missing.join(', ')}; run: ${searchAttributeHelp} --namespace ${namespace}`)
}
