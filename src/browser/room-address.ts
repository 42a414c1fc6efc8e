/** What a room takes from its page's address and history, and what it writes back. */
import { SIGNAL_PATH } from '../signaling/protocol.ts'
import type { RoomLink } from '../signaling/room-link.ts'
import { RoomError } from './room-error.ts'

/** In the query of a page: its signaling server, where that is not on the page's own. */
export const SIGNAL_PARAMETER = 'signal'

/** In `history.state`, beside what the app keeps there. */
const STATE_KEY = 'zabraIdentity'

/** ws: or wss: address of the broker: as asked for, else at the origin of the link. */
export function signalingUrl(asked: string | undefined, link: URL): string {
  let url: URL
  try {
    url = new URL(asked ?? SIGNAL_PATH, link)
  } catch (cause) {
    throw badSignaling(String(asked), cause)
  }
  if (url.protocol === 'https:') url.protocol = 'wss:'
  if (url.protocol === 'http:') url.protocol = 'ws:'
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') throw badSignaling(url.href)
  // Nothing of the link's query or fragment is the broker's business.
  if (asked === undefined) url.search = ''
  url.hash = ''
  return url.href
}

/** The link with what is known of the ensemble by now; a query of the app's own stays. */
export function sharedLink(address: URL, link: RoomLink): string {
  const url = new URL(address)
  const tags = [link.secret, link.creator, link.creator === null ? null : link.cluster]
  // The setter escapes everything but the escape itself.
  url.hash = tags
    .filter((tag) => tag !== null)
    .join('.')
    .replaceAll('%', '%25')
  return url.href
}

/**
 * What people copy from the address bar then names the ensemble (design §4). Only while it still
 * shows this room: an app with a router of its own may be elsewhere by now.
 */
export function rewriteAddress(from: string, to: string): void {
  const [old, url] = [new URL(from), new URL(location.href)]
  if (url.hash !== old.hash || url.searchParams.get('room') !== old.searchParams.get('room')) return
  url.hash = new URL(to).hash
  if (url.href !== location.href) history.replaceState(history.state, '', url)
}

/** Never from sessionStorage: that is copied to duplicated tabs. */
export function keptIdentity(): string | null {
  const kept = historyFields()?.[STATE_KEY]
  return typeof kept === 'string' ? kept : null
}

export function keepIdentity(incarnation: string): void {
  const fields = historyFields()
  if (fields !== null) history.replaceState({ ...fields, [STATE_KEY]: incarnation }, '')
}

/** null when the app keeps something there that nothing can be added to. */
function historyFields(): Readonly<Record<string, unknown>> | null {
  const state: unknown = history.state
  if (state === null) return {}
  const isPlain = typeof state === 'object' && Object.getPrototypeOf(state) === Object.prototype
  return isPlain ? { ...state } : null
}

function badSignaling(address: string, cause?: unknown): RoomError {
  return new RoomError(
    'bad-option',
    `${address} is no address of a signaling server: it begins with ws: or wss:.`,
    { cause },
  )
}
