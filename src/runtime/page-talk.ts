/**
 * Page messages to verified peers. A page can speak on a link only when both sides let each other
 * in, which it learns a moment later than the worker; until then they wait.
 */
import { encodePageMessage, type PageMessage } from './page-message.ts'
import type { PeerLink } from './peer-table.ts'

/** To one peer whose handshake is not through. Ours: a founding record and a word or two. */
const UNSAID_MAX = 8

export class PageTalk {
  readonly #send: (linkId: string, bytes: Uint8Array) => void

  constructor(send: (linkId: string, bytes: Uint8Array) => void) {
    this.#send = send
  }

  say(link: PeerLink, message: PageMessage): void {
    const bytes = encodePageMessage(message)
    if (link.isOpen) this.#send(link.linkId, bytes)
    else if (link.unsaid.length < UNSAID_MAX) link.unsaid.push(bytes)
  }

  opened(link: PeerLink): void {
    link.isOpen = true
    for (const bytes of link.unsaid.splice(0)) this.#send(link.linkId, bytes)
  }
}
