/**
 * TLS sides whose keys are read again when one of their files changes (client.certReload,
 * sslQuorumReloadCertFiles). Who is connected stays so; the next handshake has the new ones.
 */
import { statSync } from 'node:fs'
import type { SecureContextOptions } from 'node:tls'
import type { TlsSide } from '../../adapters/tcp/tls-side.ts'
import { contextOf, sideOf, type SideOptions } from './tls-side-of.ts'
import type { TlsKeys } from './tls-settings.ts'

/**
 * Ours: certificates are renewed days before they end. ZooKeeper has the kernel tell it, which
 * misses files that are mounted, or replaced by a link.
 */
const LOOK_INTERVAL_MS = 1_000

export interface TlsKeeperHooks {
  /** `prefix` as of the keys in the configuration. */
  readonly onReloaded: (prefix: string) => void
  /** What was read before stays, until the files change again. */
  readonly onFailed: (prefix: string, error: unknown) => void
}

interface Kept {
  readonly keys: TlsKeys
  readonly options: SideOptions
  files: string
  context: SecureContextOptions
}

export class TlsKeeper {
  readonly #hooks: TlsKeeperHooks
  readonly #kept: Kept[] = []
  #timer: ReturnType<typeof setInterval> | null = null

  constructor(hooks: TlsKeeperHooks) {
    this.#hooks = hooks
  }

  /** Throws an Error that names the key and what is wrong with its file. */
  side(keys: TlsKeys, reloads: boolean, options: SideOptions): TlsSide {
    // Before it is read: a change meanwhile is seen as one.
    const files = stateOf(keys)
    const kept: Kept = { keys, options, files, context: contextOf(keys, options) }
    if (reloads) this.#keep(kept)
    return sideOf(keys, options, () => kept.context)
  }

  /** Whether anything has changed; it runs by itself every now and then. */
  look(): void {
    for (const kept of this.#kept) {
      const files = stateOf(kept.keys)
      if (files === kept.files) continue
      kept.files = files
      const { prefix } = kept.keys
      try {
        kept.context = contextOf(kept.keys, kept.options)
        this.#hooks.onReloaded(prefix)
      } catch (error) {
        this.#hooks.onFailed(prefix, error)
      }
    }
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    this.#kept.length = 0
  }

  #keep(kept: Kept): void {
    this.#kept.push(kept)
    this.#timer ??= setInterval(() => this.look(), LOOK_INTERVAL_MS).unref()
  }
}

/** What tells one state of the files from the next: which file, how long, of when. */
function stateOf({ keyStore, trustStore }: TlsKeys): string {
  const paths = [keyStore, trustStore].flatMap((store) =>
    store === null ? [] : [store.location, store.passwordPath ?? []].flat(),
  )
  return paths
    .map((path) => {
      const stat = statSync(path, { throwIfNoEntry: false, bigint: true })
      return stat === undefined ? 'none' : `${stat.ino} ${stat.size} ${stat.mtimeNs}`
    })
    .join(', ')
}
