/** The rules that the protocol stands on, and what it takes for granted of the world. Weaken one, and see what it was for. */

export interface Rules {
  /** A commit holds only if the version that was read is still the entity's. */
  readonly commitsOnWhatWasRead: boolean
  /** An execution is opened only where none holds the entity. */
  readonly opensOnlyWhatIsFree: boolean
  /** An execution is opened only where none under its key is open, in doubt or done. */
  readonly opensOnceAKey: boolean
  /** Opening uses the grant up. */
  readonly consumesTheGrant: boolean
  /** The executor runs only once the opened row is committed. */
  readonly opensBeforeTheEffect: boolean
  /** An execution is taken over only when its lease is over. */
  readonly resumesOnlyPastTheLease: boolean
  /** Only an effect whose receiver still honours the key is tried again with it. */
  readonly resumesOnlyTheIdempotent: boolean
  /** An attempt ends, at the latest, with the time in which the receiver honours the key. */
  readonly leasesEndInTime: boolean
  /** Only the lease's holder may say that nothing was done. */
  readonly failsOnlyByTheHolder: boolean
  /** An open execution comes to be in doubt only by its holder, or past its lease. */
  readonly doubtsOnlyPastTheLease: boolean
  /** No new attempt, nor another try, where one is known to have happened after all. */
  readonly stopsAtAContradiction: boolean
  /** Reported events wait while the entity is held. */
  readonly eventsWait: boolean
  /** A denied round refuses, and so do equal proposals of its run chain. */
  readonly denialIsFinal: boolean
  /** A cancelled wait may take back a round whose grant was revoked meanwhile. */
  readonly withdrawsTheRevoked: boolean
  /** A round that a person has denied, or taken back, ends when its time is over, though nobody comes for it. */
  readonly expiresTheSettled: boolean
  /** Of people: what they say became of an effect is so. Not taken for granted: where they err, that is counted. */
  readonly peopleAreRight: boolean
  /** Of receivers: once they have refused a key, they refuse it ever after. */
  readonly receiversKeepRefusals: boolean
}

/** What the code does now. */
export const asTheCodeHasIt: Rules = {
  commitsOnWhatWasRead: true,
  opensOnlyWhatIsFree: true,
  opensOnceAKey: true,
  consumesTheGrant: true,
  opensBeforeTheEffect: true,
  resumesOnlyPastTheLease: true,
  resumesOnlyTheIdempotent: true,
  leasesEndInTime: true,
  failsOnlyByTheHolder: true,
  doubtsOnlyPastTheLease: true,
  stopsAtAContradiction: true,
  eventsWait: true,
  denialIsFinal: true,
  withdrawsTheRevoked: true,
  expiresTheSettled: true,
  peopleAreRight: false,
  receiversKeepRefusals: true,
}
