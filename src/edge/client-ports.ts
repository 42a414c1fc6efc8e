/** Where clients come in: clientPort and secureClientPort, by the same rules. */
import { ClientListener, type ClientListenerOptions } from '../adapters/tcp/client-listener.ts'
import type { Handshakes, TlsSide } from '../adapters/tcp/tls-side.ts'
import type { ServerSettings } from './settings.ts'
import type { TlsKeeper } from './tls/tls-keeper.ts'

type PortOptions = Pick<
  ClientListenerOptions,
  'onClient' | 'onWord' | 'onDropped' | 'onRefused' | 'maxFrameBytes'
>

export class ClientPorts {
  readonly #plain: ClientListener | null
  readonly #secure: ClientListener | null

  private constructor(plain: ClientListener | null, secure: ClientListener | null) {
    this.#plain = plain
    this.#secure = secure
  }

  /** Rejects with what the operating system says, or what is wrong with a key. */
  static async open(
    settings: ServerSettings,
    keeper: TlsKeeper,
    options: PortOptions,
  ): Promise<ClientPorts> {
    const { clientPort, secureClientPort, clientTls, clientPortTakesTls } = settings
    const side = (takesPlain: boolean): { readonly tls?: TlsSide } => {
      if (clientTls === null) return {}
      const reloads = settings.clientTlsReloads
      return { tls: keeper.side(clientTls, reloads, { isCalled: true, takesPlain }) }
    }
    const common = { ...limitsOf(settings), ...options }
    const plain =
      clientPort === null
        ? null
        : await ClientListener.open({
            ...common,
            ...at(clientPort, settings.clientAddress),
            ...(clientPortTakesTls ? side(true) : {}),
          })
    try {
      const secure =
        secureClientPort === null
          ? null
          : await ClientListener.open({
              ...common,
              ...at(secureClientPort, settings.secureClientAddress),
              ...side(false),
            })
      return new ClientPorts(plain, secure)
    } catch (error) {
      await plain?.close()
      throw error
    }
  }

  /** null: there is none. */
  get port(): number | null {
    return this.#plain?.port ?? null
  }

  get securePort(): number | null {
    return this.#secure?.port ?? null
  }

  get connections(): number {
    return (this.#plain?.connections ?? 0) + (this.#secure?.connections ?? 0)
  }

  get handshakes(): Handshakes {
    const all = [this.#plain?.handshakes, this.#secure?.handshakes].flatMap((one) => one ?? [])
    const sum = (of: keyof Handshakes): number => all.reduce((total, one) => total + one[of], 0)
    return { pending: sum('pending'), failed: sum('failed') }
  }

  async close(): Promise<void> {
    await Promise.all([this.#plain?.close(), this.#secure?.close()])
  }
}

function limitsOf(settings: ServerSettings): Partial<ClientListenerOptions> {
  const { listenBacklog, connectionsMax, connectionsPerAddressMax } = settings
  return {
    ...(listenBacklog === null ? {} : { backlog: listenBacklog }),
    connectionsMax,
    perAddressMax: connectionsPerAddressMax,
    silenceLimitMs: settings.sessionlessTimeoutMs,
  }
}

function at(port: number, host: string | null): { readonly port: number; readonly host?: string } {
  return { port, ...(host === null ? {} : { host }) }
}
