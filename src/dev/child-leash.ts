/**
 * Loaded before a child's own module: descriptor 3 is a pipe whose other end only the parent holds. When it closes, the parent
 * is gone, and the child is told to end as an operator would tell it.
 */
import { Socket } from 'node:net'
import { isMainThread } from 'node:worker_threads'

// Node loads this again in worker threads, and in forks, whose descriptor 3 is another.
if (isMainThread && process.channel === undefined) {
  const leash = new Socket({ fd: 3, readable: true, writable: false })
  leash.on('error', () => {})
  leash.once('close', () => process.kill(process.pid, 'SIGTERM'))
  leash.resume()
  leash.unref()
}
