/** What an actor may do: a name of at least two parts, as `orders.refund`. Roles hold permissions; actors hold roles. */
export type Permission = `${string}.${string}`

/** KIFF's kinds of actor. */
export type ActorType = 'human' | 'agent' | 'service' | 'system' | 'external'

/** Role → permissions, as a domain declares them. Who holds which role is data in Postgres, never a field of a request. */
export type Roles = Readonly<Record<string, readonly Permission[]>>
