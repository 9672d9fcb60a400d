/** A contract's version: the hash of its declared parts, and the number its author raises when code changes. */
import type { Contract } from './contract.ts'
import { digestOf } from './digest.ts'

/** SHA-256 (hex) over everything of a contract that a schema or a field shows. Equal hashes mean equal declared rules. */
export function contractHash(domain: string, action: string, contract: Contract): string {
  const { entity, paramsSchema, outputSchema, ...declared } = contract // its functions JSON leaves out
  return digestOf(JSON.parse(JSON.stringify({ domain, action, entity: entity.name, params: paramsSchema, output: outputSchema, ...declared })))
}
