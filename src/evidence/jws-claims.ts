/** What a signed text says, for comparing it with what the records say. Whose signature it is, is not asked here. */

/** The members of a compact JWS's payload; `{}` when it is none. */
export function claimsIn(jws: string): Readonly<Record<string, unknown>> {
  try {
    return { ...Object(JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8'))) }
  } catch {
    return {}
  }
}
