/** The words after `zabra join`. */
import { parseArgs } from 'node:util'
import { ROOM_SIZE_MAX } from '../../signaling/room-link.ts'
import { serverSettings, type ServerSettings } from '../settings.ts'
import { linkedRoom, newRoom, type AskedRoom } from './asked-room.ts'
import { JoinError } from './join-error.ts'

export const JOIN_USAGE: string = `usage: zabra join LINK [options]
       zabra join --new --signaling URL [--size N] [--name NAME] [--page URL] [options]
       zabra join [options]     goes on in the room of the data directory

  LINK                   what the people of a room share, in quotes
  --data-dir DIR         log, snapshots and this machine's key; default ./zabra-data
  --client-port N        default 2181; 0 takes any free one
  --client-address HOST  of both ports, default every address of this machine
  --admin-port N         admin commands by HTTP, default 8080; 0 takes any free one
  --max-client-cnxns N   connections of one address, default 60, 0 = no limit
  --signaling URL        ws: or wss: address; default where the link points to
  --ice FILE|JSON|URL    STUN and TURN servers; default what the pages' server says

  --new                  makes a room, whose first founder this machine is, and says its link
  --size N               voters of the new room, 1 to ${ROOM_SIZE_MAX}, default 3
  --name NAME            of the new room, for people
  --page URL             machine.html of its pages; default on the server of the signaling

A machine of a room of browser tabs, with ZooKeeper's client port. One that comes before the
founding is a founder and votes; a later one is an observer. Says lines of JSON on its output:
{link} for a new room, and {sid, pid, clientPort, adminPort, role, link} when it serves.
`

export interface JoinSettings {
  readonly asked: AskedRoom
  readonly server: ServerSettings
  readonly ice: string | null
}

const DATA_DIRECTORY = 'zabra-data'
const CLIENT_PORT = 2181
const ADMIN_PORT = 8080

/** null: help was asked for. Throws an Error that names what is wrong. */
export function parseJoin(args: readonly string[]): JoinSettings | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      new: { type: 'boolean' },
      'data-dir': { type: 'string' },
      'client-port': { type: 'string' },
      'client-address': { type: 'string' },
      'admin-port': { type: 'string' },
      'max-client-cnxns': { type: 'string' },
      signaling: { type: 'string' },
      ice: { type: 'string' },
      size: { type: 'string' },
      name: { type: 'string' },
      page: { type: 'string' },
    },
  })
  if (values.help === true) return null
  const clientAddress = values['client-address'] ?? null
  const perAddress = whole('max-client-cnxns', values['max-client-cnxns'], 0, 1_000_000)
  return {
    asked: askedRoom(positionals, values),
    server: serverSettings({
      dataDirectory: values['data-dir'] ?? DATA_DIRECTORY,
      clientPort: whole('client-port', values['client-port'], 0, 65_535) ?? CLIENT_PORT,
      adminPort: whole('admin-port', values['admin-port'], 0, 65_535) ?? ADMIN_PORT,
      // Whoever keeps clients to one address does not mean to show the rest everywhere.
      ...{ clientAddress, adminAddress: clientAddress },
      ...(perAddress === undefined ? {} : { connectionsPerAddressMax: perAddress }),
    }),
    ice: values.ice ?? null,
  }
}

interface RoomWords {
  readonly new?: boolean
  readonly signaling?: string
  readonly size?: string
  readonly name?: string
  readonly page?: string
}

function askedRoom(links: readonly string[], words: RoomWords): AskedRoom {
  const [link, ...more] = links
  if (more.length > 0) throw new JoinError(`one LINK, not ${links.length}: put it in quotes.`)
  const { signaling } = words
  if (words.new !== true) {
    for (const word of ['size', 'name', 'page'] as const) {
      if (words[word] !== undefined) throw new JoinError(`--${word} is for a --new room.`)
    }
    if (link !== undefined) return { kind: 'link', ...linkedRoom(link, signaling ?? null) }
    if (signaling !== undefined) throw new JoinError('--signaling needs a LINK, or --new.')
    return { kind: 'same' }
  }
  if (link !== undefined) throw new JoinError('--new makes a room: it takes no LINK.')
  if (signaling === undefined) {
    throw new JoinError('--new needs --signaling URL, the server by which its tabs meet.')
  }
  const { name, page } = words
  return newRoom({ signaling, name, page, size: whole('size', words.size, 1, ROOM_SIZE_MAX) })
}

function whole(
  option: string,
  text: string | undefined,
  min: number,
  max: number,
): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  throw new JoinError(`--${option} ${text}: it is a whole number from ${min} to ${max}`)
}
