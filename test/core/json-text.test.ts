import { describe, expect, test } from 'vitest'
import { parseJsonText } from '../../src/core/json-text.ts'

describe('JSON that a person has written', () => {
  test.each([
    '{"amountCents": 4200, "reason": "late"}', '[{"a":1},{"a":2}]', '{"a":{"a":{"a":1}}}', '{"a":"\\"a\\":","b":":"}', '"{\\"a\\":1,\\"a\\":2}"', '{"a":"}","b":"{"}', '7', 'null', '{}',
  ])('is read: %s', (text) => {
    expect(parseJsonText(text)).toEqual(JSON.parse(text))
  })

  test.each([
    '{"a":1,"a":2}', '{"a":1,"b":{},"a":1}', '{"b":[{"a":1,"a":2}]}', '{"a" : 1, "\\u0061" : 2}', '{"a":{"x":1},"c":"}","a":3}', '{"__proto__":1,"__proto__":2}',
  ])('is refused where a member stands twice: %s', (text) => {
    expect(() => parseJsonText(text)).toThrow('stands twice in one object')
  })

  test('is refused where it is no JSON', () => {
    expect(() => parseJsonText('{"a":1')).toThrow(SyntaxError)
  })
})
