/** Links from an approval, or an execution, to its run in the Temporal UI. */
import type { ApprovalRequest } from './desk.ts'

/** Makes links under `temporalUi`, or none when it is not configured. @throws Error when it is not an http(s) address */
export function temporalLinks(temporalUi: string | undefined): (request: Pick<ApprovalRequest, 'namespace' | 'workflow_id' | 'first_execution_run_id'>) => string | undefined {
  if (temporalUi === undefined) return () => undefined
  const base = URL.parse(temporalUi)
  if (base === null || !/^https?:$/.test(base.protocol)) throw new Error(`the Temporal UI's address must start with http:// or https://, not ${temporalUi}`)
  return (request) => {
    const steps = ['namespaces', request.namespace, 'workflows', request.workflow_id, request.first_execution_run_id, 'history']
    return `${base.href.replace(/\/+$/, '')}/${steps.map((step) => encodeURIComponent(step.toWellFormed())).join('/')}`
  }
}
