/** Arbitrary JSON for property tests: what has a canonical form, and what has none. */
import * as fc from 'fast-check'
import type { Json } from '../../src/core/canonical.ts'

/** Text that can be recorded. */
export const text = fc.string({ unit: 'binary', maxLength: 12 }).map((any) => any.replaceAll('\u0000', '').toWellFormed())

const name = fc.oneof(text, fc.constantFrom('a', 'b', '', '1', '10', 'constructor', 'toString', '\ufb33', '😀')).filter((each) => each !== '__proto__')

const number = fc.oneof(
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((each) => !Object.is(each, -0) && (!Number.isInteger(each) || Number.isSafeInteger(each))),
)

/** Any value that has a canonical form. */
export const json: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(fc.constant(null), fc.boolean(), number, text),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.uniqueArray(fc.tuple(name, tie('value')), { maxLength: 4, selector: ([key]) => key }).map((members) => Object.fromEntries(members)),
  ),
})).value

class Money {
  readonly cents = 1
}

/** Any value that has none, by itself. */
export const notJson: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, undefined, () => 1, Symbol('a'), new Date(0), new Map(), new Set(), /a/, new Money(), Array(1), Object(1), new Uint8Array(1), JSON.parse('{"__proto__":1}')),
  fc.bigInt(),
  fc.double({ min: 2 ** 53, max: Number.MAX_VALUE, noNaN: true }).chain((each) => fc.constantFrom(each, -each)),
  fc.tuple(text, fc.constantFrom('\ud83d', '\udc00', '\u0000'), text).map(([before, broken, after]) => `${before}${broken}.${after}`),
)

/** `inner` somewhere inside a value. */
export function within(inner: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.tuple(inner, fc.array(fc.tuple(fc.boolean(), json, name), { maxLength: 4 })).map(([value, around]) =>
    around.reduce<unknown>((deep, [list, beside, key]) => (list ? [beside, deep] : { beside, [`${key}!`]: deep }), value))
}
