/** Preloaded into a gate process: its clock is wrong by `KIFF_CLOCK_MS`. */
const wrongBy = Number(process.env['KIFF_CLOCK_MS'])
const RightDate = Date

globalThis.Date = class extends RightDate {
  constructor(...args: [] | [number | string]) {
    super(...((args.length === 0 ? [RightDate.now() + wrongBy] : args) as [number]))
  }
  static override now(): number {
    return RightDate.now() + wrongBy
  }
} as DateConstructor
