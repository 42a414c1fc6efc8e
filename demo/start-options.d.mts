export interface StartOptions {
  readonly tls: boolean
  readonly host: string
  /** undefined: the first free one. */
  readonly port: number | undefined
  /** A file, or JSON: STUN and TURN servers for the pages. */
  readonly ice?: string | undefined
}

export interface TlsFacts {
  readonly host: string
  readonly port: number
  readonly lan: readonly string[]
  readonly fingerprint: string
  readonly isNew: boolean
}

export const USAGE: string
export function startOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): StartOptions
export function isLoopback(host: string): boolean
export function isEverywhere(host: string): boolean
export function linkTo(scheme: 'http' | 'https', host: string, port: number): string
export function tlsText(facts: TlsFacts): string
