/** What Temporal's client throws where there is no server. */
import { ServiceError } from '@temporalio/client'

export const unavailable = (): ServiceError =>
  new ServiceError('Failed to describe workflow', { cause: Object.assign(new Error('14 UNAVAILABLE: no connection'), { code: 14, details: 'no connection', metadata: {} }) })
