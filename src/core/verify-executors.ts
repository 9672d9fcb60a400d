/** Verifying the effects that a gate worker binds: every action that has an effect has an executor, and it has been written. */
import type { Contract } from './contract.ts'
import { finding, type Finding } from './findings.ts'

/** `executorOf` as in what `executors` returns. */
export function executorFindings(actions: Readonly<Record<string, Contract>>, executorOf: (action: string) => unknown): Finding[] {
  return Object.entries(actions).filter(([, { effect }]) => effect !== 'none').flatMap(([action]) => {
    const executor = executorOf(action)
    if (typeof executor !== 'function') return [finding('executor_missing', { action }, 'nothing would happen')]
    return Function.prototype.toString.call(executor).includes('TODO') ? [finding('executor_stub', { action }, 'its executor says TODO')] : []
  })
}
