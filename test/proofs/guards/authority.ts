/** Who counts as an actor: by configuration, or by a mandate. */
import { guardsIn, type Guard } from '../guard.ts'

export const authority: readonly Guard[] = [
  ...guardsIn('src/gate/authority.ts', 'test/core/authority.test.ts', [
    ['actor-served', 'an actor whom this gate does not serve', 'problem: rules.actors.includes(actor) ? null :', 'problem: true ? null :', 'those count that the worker is configured to serve'],
    ['mandate-genuine', 'a mandate that nobody trusted has signed', 'if (mandate === null) return {', 'if (mandate === null) return { problem: null, ...withoutMandate }; if (false) return {', 'by another key is none'],
    ['mandate-actor', "one actor's mandate serves another", 'mandate.actor !== actor ?', 'false ?', 'for another actor does not count'],
    ['mandate-namespace', 'a mandate serves in another namespace', 'mandate.namespace !== step.namespace || mandate', 'mandate', 'of another namespace does not count'],
    ['mandate-workflow', 'a mandate serves in another workflow', '|| mandate.workflowId !== step.workflowId ?', '?', 'for another workflow does not count'],
    ['mandate-domain', 'a mandate for one domain serves in another', 'mandate.domain !== null && mandate.domain !== domain ?', 'false ?', 'for another domain does not count'],
    ['mandate-actions', 'a mandate serves for an action it does not name', '&& !mandate.actions.includes(action) ?', '&& false ?', 'for other actions does not count'],
    ['mandate-until', 'a mandate serves after its time', 'if (until !== null && Date.parse(now) >= Date.parse(until)) return', 'if (false) return', 'that has run out does not count'],
    ['mandate-until-exact', 'a mandate serves at the moment it runs out', 'Date.parse(now) >= Date.parse(until)', 'Date.parse(now) > Date.parse(until)', 'that has run out does not count'],
    ['mandate-from', 'a mandate serves before its time', 'if (from !== null && Date.parse(now) < Date.parse(from)) return', 'if (false) return', 'that has not begun does not count'],
    ['mandate-problem', 'an actor with a problem counts as proven', 'if (problem !== null) return problem', '', 'for another actor does not count'],
    ['mandate-on-behalf', 'for whom an actor acts is forgotten', 'onBehalfOf: mandate.onBehalfOf,', 'onBehalfOf: null,', 'that holds proves the actor'],
  ]),
  ...guardsIn('src/gate/mandate.ts', 'test/core/authority.test.ts', [
    ['issuer-kid', 'a mandate key without a name', 'if (key.kid === undefined) throw', 'if (false) throw', "an issuer's keys > have names"],
    ['issuer-public', 'the gate holds a key that can issue mandates', 'if (key.d !== undefined) throw', 'if (false) throw', "an issuer's keys > are public"],
    ['issuer-trusted', 'a mandate of an issuer whom this gate does not trust', 'if (keys === undefined) return null', 'if (keys === undefined) return { ...claims.parse(decodeJwt(jwt)) } as never', 'by an issuer whom the gate does not trust'],
    ['issuer-algorithms', 'a mandate by a signature of another kind', "{ algorithms: ['EdDSA', 'ES256'] }", '{}', 'signed in a way that mandates are not'],
    ['mandate-typ', 'another token of the same issuer is taken for a mandate', 'if (protectedHeader.typ !== mandateType) return null', '', 'that is a token of another kind'],
    ['mandate-exp', 'a mandate without an end', 'exp: seconds,', 'exp: seconds.default(8.64e9),', 'without an end is none'],
    ['mandate-workflow-named', 'a mandate for no workflow in particular', 'workflow_id: z.string().min(1).max(1_000),', "workflow_id: z.string().default(''),", 'for no workflow in particular'],
    ['mandate-not-before', "a mandate's beginning is forgotten", 'notBefore: nbf === undefined ? null : nbf * 1_000', 'notBefore: null', 'that has not begun does not count'],
    ['mandate-unreadable', 'a mandate that cannot be read stops the gate instead of counting for nothing', 'return null\n    }\n  }\n}', 'throw new Error(\'x\')\n    }\n  }\n}', 'that is no token is none'],
  ]),
]
