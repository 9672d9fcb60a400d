/** Development secrets: made at first start, kept in the state folder, readable by their owner only, marked `dev`. */
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { generateDevReviewKey } from '../approvals/signing.ts'

const secret = z.string().min(16)
const key = z.looseObject({ kty: z.string() })
const secrets = z.object({
  marked: z.literal('dev: never use these anywhere else'),
  passwords: z.object({ owner: secret, gate: secret, reviewer: secret, auditor: secret }),
  paymentsToken: secret,
  reviewKey: key,
  reviewKeys: z.object({ keys: z.array(key) }),
})

export type DevSecrets = z.infer<typeof secrets>

/** Reads the folder's secrets, or makes them. @throws Error when the file is there and cannot be read as ours */
export async function devSecrets(stateDir: string): Promise<DevSecrets> {
  await mkdir(stateDir, { recursive: true, mode: 0o700 })
  const file = join(stateDir, 'dev-secrets.json')
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) {
    const made = await newSecrets()
    await writeFile(file, JSON.stringify(made, null, 2), { mode: 0o600 })
    return made
  }
  const parsed = secrets.safeParse(JSON.parse(text))
  if (!parsed.success) throw new Error(`${file} is not ours; remove ${stateDir} to start afresh`)
  return parsed.data
}

/** 192 random bits. */
export const randomSecret = (): string => randomBytes(24).toString('base64url')

async function newSecrets(): Promise<DevSecrets> {
  const { privateKey, publicKeys } = await generateDevReviewKey()
  return secrets.parse({
    marked: 'dev: never use these anywhere else',
    passwords: { owner: randomSecret(), gate: randomSecret(), reviewer: randomSecret(), auditor: randomSecret() },
    paymentsToken: randomSecret(),
    reviewKey: privateKey,
    reviewKeys: publicKeys,
  })
}
