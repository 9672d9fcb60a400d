/** The `typ` of a mandate's JWT (explicit typing, RFC 8725 section 3.11): no other token can be taken for one. */
export const mandateType = 'kiff-mandate+jwt'
