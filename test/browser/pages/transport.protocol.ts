/** Between the page under test and its worker: one request, one answer, by number. */

export type WorkerRequest =
  | { readonly kind: 'identity' }
  | { readonly kind: 'sign'; readonly bytes: Uint8Array }
  /** Sends that many bytes and answers when the other worker sent their digest back. */
  | { readonly kind: 'roundtrip'; readonly link: string; readonly bytes: number }
  /** Sends `count` messages of `bytes` at once; answers with the order in which they came back. */
  | {
      readonly kind: 'burst'
      readonly link: string
      readonly count: number
      readonly bytes: number
    }
  | { readonly kind: 'closeLink'; readonly link: string }
  | { readonly kind: 'links' }
  /** Over the client channel: opens a connection that the other worker answers by echo. */
  | { readonly kind: 'muxEcho'; readonly link: string; readonly texts: readonly string[] }

export interface LinkReport {
  readonly link: string
  readonly label: string
  readonly carrier: 'channel' | 'port'
  readonly closed: string | null
}

export type ToWorker =
  | { readonly kind: 'request'; readonly id: number; readonly request: WorkerRequest }
  | {
      readonly kind: 'channel'
      readonly link: string
      readonly label: string
      readonly source: RTCDataChannel | MessagePort
    }

export type FromWorker =
  { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: string }
