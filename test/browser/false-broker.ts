/**
 * A broker that keeps the form of the protocol and none of its promises. It drops, repeats, swaps
 * and holds back what it relays, replays what it heard long ago, tells of peers that are none,
 * hides those that are, puts itself first, and says of the living that they are gone.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import { Prng } from '../../src/core/base/prng.ts'
import {
  parseClientMessage,
  parseServerMessage,
  peerIdOf,
  SIGNAL_PATH,
  type ServerMessage,
} from '../../src/signaling/protocol.ts'
import { RoomBroker, type RoomInput } from '../../src/signaling/room.ts'

/** Shares of messages, 0…1. */
export interface Lies {
  readonly drop?: number
  readonly repeat?: number
  readonly swap?: number
  readonly hold?: number
  readonly replay?: number
  readonly falseGone?: number
  /** Lists name two peers that do not exist, before all others. */
  readonly invents?: boolean
  /** Lists name nobody but their reader. */
  readonly hides?: boolean
  /** Orders of arrival are told the other way round. */
  readonly turnsOrder?: boolean
}

export const HONEST: Lies = {}
/** Nothing comes through it as it was said, but enough does for who tries again. */
export const MISCHIEF: Lies = {
  ...{ drop: 0.1, repeat: 0.2, swap: 0.1, hold: 0.2, replay: 0.2, falseGone: 0.05 },
  ...{ invents: true, turnsOrder: true },
}
export const SILENCE: Lies = { drop: 1, hides: true }

interface Guest {
  readonly socket: WebSocket
  peer: string
  /** Held back, to be sent behind the next one. */
  held: ServerMessage | null
}

type Relay = Extract<ServerMessage, { type: 'relay' }>

const INVENTED = ['self', 'other'].map((name) => peerIdOf(name))
const HEARD_MAX = 200
/** Occasions that are let pass before the first lie of a kind. */
const TEMPTATIONS_MAX = 4

export class FalseBroker {
  readonly #prng: Prng
  readonly #guests = new Map<number, Guest>()
  readonly #heard: Relay[] = []
  #rules = new RoomBroker()
  #http: Server | null = null
  #port = 0
  #lies: Lies
  #nextGuest = 1
  /** Occasions for each kind of lie. */
  readonly #temptations = new Map<string, number>()
  /** What it did, by kind: for the test to know that it did. */
  readonly told = new Map<string, number>()

  constructor(seed: number, lies: Lies) {
    this.#prng = new Prng(seed)
    this.#lies = lies
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}${SIGNAL_PATH}`
  }

  /** Also again, after `close`, where it was and with nothing in mind but old messages. */
  async start(): Promise<void> {
    const http = createServer()
    this.#http = http
    this.#rules = new RoomBroker()
    new WebSocketServer({ server: http, path: SIGNAL_PATH }).on('connection', (socket) => {
      this.#adopt(socket)
    })
    await new Promise<void>((resolve) => http.listen(this.#port, '127.0.0.1', resolve))
    this.#port = (http.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    this.#dropAll()
    const http = this.#http
    this.#http = null
    http?.closeAllConnections()
    await new Promise((resolve) => (http === null ? resolve(null) : http.close(resolve)))
  }

  /** From now on. Everybody has to come anew and hears the lists that go with it. */
  lie(lies: Lies): void {
    this.#lies = lies
    this.#dropAll()
  }

  #dropAll(): void {
    for (const { socket } of this.#guests.values()) socket.terminate()
  }

  #adopt(socket: WebSocket): void {
    const id = this.#nextGuest++
    const guest: Guest = { socket, peer: '', held: null }
    this.#guests.set(id, guest)
    this.#step({ kind: 'opened', socket: id })
    socket.on('message', (data) => {
      const text = (data as Buffer).toString('utf8')
      const message = parseClientMessage(text)
      if (message?.type === 'join') guest.peer = peerIdOf(message.token)
      this.#step({ kind: 'text', socket: id, text })
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#guests.delete(id)
      this.#step({ kind: 'closed', socket: id, clean: false })
    })
  }

  #step(input: RoomInput): void {
    for (const output of this.#rules.step(input, performance.now())) {
      const guest = this.#guests.get(output.socket)
      if (guest === undefined) continue
      if (output.kind === 'close') {
        guest.socket.close()
        continue
      }
      const message = parseServerMessage(output.text)
      this.#step({ kind: 'drained', socket: output.socket, bytes: output.text.length })
      if (message !== null) this.#tell(guest, message)
    }
  }

  #tell(guest: Guest, message: ServerMessage): void {
    if (message.type === 'relay') this.#relay(guest, message)
    else if (message.type === 'peers') this.#send(guest, this.#list(guest, message))
    else this.#send(guest, message)
  }

  #list(guest: Guest, message: Extract<ServerMessage, { type: 'peers' }>): ServerMessage {
    const { hides, invents, turnsOrder } = this.#lies
    let peers = message.peers
    if (hides === true) peers = peers.filter(({ peer }) => peer === guest.peer)
    if (turnsOrder === true) {
      const highest = Math.max(...peers.map(({ order }) => order))
      peers = peers.map(({ peer, order }) => ({ peer, order: highest - order + 1 }))
    }
    if (invents === true) peers = [...INVENTED.map((peer) => ({ peer, order: 0 })), ...peers]
    return { type: 'peers', peers }
  }

  #relay(guest: Guest, message: Relay): void {
    if (this.#chance('drop')) return
    this.#heard.push(message)
    if (this.#heard.length > HEARD_MAX) this.#heard.shift()
    const old = this.#heard[Math.floor(this.#prng.next() * this.#heard.length)] ?? message
    // The words of one in the mouth of another.
    const said = this.#chance('swap') ? { ...message, body: old.body } : message
    if (guest.held === null && this.#chance('hold')) {
      guest.held = said
      return
    }
    this.#send(guest, said)
    if (this.#chance('repeat')) this.#send(guest, said)
    if (this.#chance('replay')) this.#send(guest, old)
    if (this.#chance('falseGone')) {
      this.#send(guest, { type: 'gone', peer: message.from, reason: 'dropped' })
    }
    const { held } = guest
    guest.held = null
    if (held !== null) this.#send(guest, held)
  }

  /** Of each kind at least one, however few messages there are. */
  #chance(kind: 'drop' | 'repeat' | 'swap' | 'hold' | 'replay' | 'falseGone'): boolean {
    const share = this.#lies[kind] ?? 0
    const temptations = (this.#temptations.get(kind) ?? 0) + 1
    this.#temptations.set(kind, temptations)
    const isOverdue = share > 0 && !this.told.has(kind) && temptations >= TEMPTATIONS_MAX
    const isIt = this.#prng.next() < share || isOverdue
    if (isIt) this.told.set(kind, (this.told.get(kind) ?? 0) + 1)
    return isIt
  }

  #send(guest: Guest, message: ServerMessage): void {
    guest.socket.send(JSON.stringify(message))
  }
}
