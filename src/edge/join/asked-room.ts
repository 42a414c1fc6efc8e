/** Which room is meant: a link as people share it, a new room, or the one of the directory. */
import { SIGNAL_PARAMETER, signalingUrl } from '../../browser/room-address.ts'
import { SIGNAL_PATH } from '../../signaling/protocol.ts'
import {
  createSecret,
  formatRoomLink,
  parseRoomLink,
  RoomLinkError,
  ROOM_SIZE_DEFAULT,
} from '../../signaling/room-link.ts'
import { JoinError } from './join-error.ts'

export interface RoomAddress {
  /** As shared: a page's address with the room in it. */
  readonly address: URL
  /** As asked for; null = where the link points to. */
  readonly signaling: string | null
}

export type AskedRoom =
  | (RoomAddress & { readonly kind: 'link' })
  | { readonly kind: 'new'; readonly addressFor: (creator: string) => RoomAddress }
  /** Goes on in the room that the data directory belongs to. */
  | { readonly kind: 'same' }

export interface NewRoomOptions {
  readonly signaling: string
  /** Address of the pages' machine.html; default: on the server of the signaling. */
  readonly page?: string | undefined
  readonly size?: number | undefined
  readonly name?: string | undefined
}

/** Of the pages that `npm start` serves. */
const MACHINE_PAGE = 'machine.html'
const QUOTE_IT = 'In a shell a link stands in quotes, else the shell takes parts of it for itself.'

/** Throws JoinError: a link that this process can follow names a page by http: or https:. */
export function linkedRoom(text: string, signaling: string | null): RoomAddress {
  const address = webAddress(text)
  if (address === null) {
    throw new JoinError(
      `'${text}' is no link of a room: that is what the address bar of its pages shows, and ` +
        'begins with http: or https:.',
    )
  }
  try {
    parseRoomLink(address)
  } catch (error) {
    if (!(error instanceof RoomLinkError)) throw error
    throw new JoinError(`${error.message} ${QUOTE_IT}`, { cause: error })
  }
  return { address, signaling }
}

/** Its secret is made here; what names its creator is known when there is a key. */
export function newRoom(options: NewRoomOptions): AskedRoom {
  const { size = ROOM_SIZE_DEFAULT, name = `room-${1_000 + Math.floor(Math.random() * 9_000)}` } =
    options
  const broker = brokerOf(options.signaling)
  const page = options.page === undefined ? pageBeside(broker) : webAddress(options.page)
  if (page === null) throw new JoinError(`'${options.page ?? ''}' is no address of a page.`)
  const secret = createSecret()
  const addressFor = (creator: string): RoomAddress => {
    const link = { room: name, size, secret, creator, cluster: null }
    const address = new URL(formatRoomLink(page, link))
    const isBeside = signalingUrl(undefined, address) === broker.href
    if (!isBeside) address.searchParams.set(SIGNAL_PARAMETER, broker.href)
    return { address, signaling: null }
  }
  try {
    // Refuses a wrong name or size before anything is stored.
    parseRoomLink(addressFor('0').address)
  } catch (error) {
    if (!(error instanceof RoomLinkError)) throw error
    throw new JoinError(error.message, { cause: error })
  }
  return { kind: 'new', addressFor }
}

/** The broker of a room: as asked for, else as its link says, else on the server of its pages. */
export function brokerAddress({ address, signaling }: RoomAddress): string {
  const asked = signaling ?? address.searchParams.get(SIGNAL_PARAMETER) ?? undefined
  return signalingUrl(asked, address)
}

function brokerOf(text: string): URL {
  // `localhost:4173` would be read as a scheme.
  const url = parsed(/^[a-z]+:\/\//i.test(text) ? text : `ws://${text}`)
  if (url === null || !/^(wss?|https?):$/.test(url.protocol)) {
    throw new JoinError(
      `'${text}' is no address of a signaling server: it begins with ws: or wss:.`,
    )
  }
  url.protocol = /^(wss|https):$/.test(url.protocol) ? 'wss:' : 'ws:'
  if (url.pathname === '/') url.pathname = SIGNAL_PATH
  url.hash = ''
  return url
}

function pageBeside(broker: URL): URL {
  const page = new URL(MACHINE_PAGE, broker)
  page.protocol = broker.protocol === 'wss:' ? 'https:' : 'http:'
  page.search = ''
  return page
}

function webAddress(text: string): URL | null {
  const url = parsed(text)
  return url !== null && /^https?:$/.test(url.protocol) ? url : null
}

function parsed(text: string): URL | null {
  try {
    return new URL(text)
  } catch {
    return null
  }
}
