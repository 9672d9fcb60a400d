/** Every way in which this harness tries to break it, and with how many trials each is tried unless told. */
import type { Fault } from '../run.ts'
import { clock } from './clock.ts'
import { continued } from './continue.ts'
import { crowd } from './crowd.ts'
import { database } from './database.ts'
import { forge } from './forge.ts'
import { kill } from './kill.ts'
import { overlap } from './overlap.ts'
import { relay } from './relay.ts'
import { reset } from './reset.ts'
import { retry } from './retry.ts'
import { server } from './server.ts'
import { signals } from './signals.ts'
import { takeOver } from './take-over.ts'

export const faults: readonly { readonly fault: Fault; readonly trials: number }[] = [
  { fault: kill, trials: 280 }, { fault: overlap, trials: 72 }, { fault: retry, trials: 160 }, { fault: forge, trials: 60 }, { fault: takeOver, trials: 32 }, { fault: reset, trials: 36 },
  { fault: continued, trials: 60 }, { fault: signals, trials: 60 }, { fault: relay, trials: 120 }, { fault: database, trials: 60 }, { fault: server, trials: 40 }, { fault: clock, trials: 90 }, { fault: crowd, trials: 130 },
]
