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
import { signals } from './signals.ts'
import { takeOver } from './take-over.ts'

export const faults: readonly { readonly fault: Fault; readonly trials: number }[] = [
  { fault: kill, trials: 340 }, { fault: overlap, trials: 108 }, { fault: retry, trials: 240 }, { fault: forge, trials: 90 }, { fault: takeOver, trials: 32 }, { fault: reset, trials: 36 },
  { fault: continued, trials: 90 }, { fault: signals, trials: 90 }, { fault: relay, trials: 120 }, { fault: database, trials: 120 }, { fault: clock, trials: 90 }, { fault: crowd, trials: 250 },
]
