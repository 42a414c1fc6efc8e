/** Plays one script against one server and writes down, client by client, what each was told. */
import { CreateMode } from '../../src/core/jute/create-mode.ts'
import { OpCode } from '../../src/core/jute/op-code.ts'
import * as proto from '../../src/core/jute/proto-records.ts'
import { JuteReader } from '../../src/core/jute/reader.ts'
import { encode } from '../../src/core/jute/record.ts'
import { setWatches2Record, setWatchesRecord } from '../../src/core/jute/session-records.ts'
import { OPEN_ACL } from './acl-lists.ts'
import { eventText, readHeader, replyText, type Names } from './reply-text.ts'
import { below, requestBytes } from './request-bytes.ts'
import type { Rearming, Step } from './step.ts'
import { NEW_SESSION, WireClient, type SessionKeys } from './wire-client.ts'

/** Lines of one step: events of each client in its order, then the answer. */
export type Transcript = readonly (readonly string[])[]

const NO_BODY = new Uint8Array(0)
const CONTAINER_OWNER = -0x8000_0000_0000_0000n
const TTL_MARK = 0xffn
/** Both servers grant it, and are quick enough to do two writes within it. */
const EXPIRY_MS = 1_500
const POLL_MS = 20

export async function runScript(
  port: number,
  root: string,
  steps: readonly Step[],
): Promise<Transcript> {
  const run = await Run.begin(port, root)
  try {
    const transcript: string[][] = []
    for (const step of steps) transcript.push(await run.play(step))
    transcript.push(await run.end())
    return transcript
  } finally {
    await run.closeSessions()
  }
}

class Run implements Names {
  readonly root: string
  readonly baseZxid: bigint
  readonly #port: number
  readonly #clients = new Map<number, WireClient>()
  readonly #sessions = new Map<bigint, string>()
  /** Sessions to be closed in the end, by id. */
  readonly #open = new Map<bigint, SessionKeys>()
  #opened = 0
  #lastZxid: bigint

  private constructor(port: number, root: string, baseZxid: bigint) {
    this.#port = port
    this.root = root
    this.baseZxid = baseZxid
    this.#lastZxid = baseZxid
  }

  static async begin(port: number, root: string): Promise<Run> {
    const client = await WireClient.open(port)
    const { flag } = CreateMode.PERSISTENT
    const request = { path: root, data: null, acl: OPEN_ACL, flags: flag }
    const created = await client.ask(OpCode.create, encode(proto.createRequestRecord, request))
    const header = created.answer === null ? null : readHeader(created.answer)
    if (header?.err !== 0) throw new Error(`cannot create ${root}`)
    const closed = await client.ask(OpCode.closeSession, NO_BODY)
    const base = closed.answer === null ? header.zxid : readHeader(closed.answer).zxid
    client.drop()
    return new Run(port, root, base)
  }

  sessionName(id: bigint): string {
    if (id === 0n) return 'nobody'
    if (id === CONTAINER_OWNER) return 'container'
    const isTtl = BigInt.asUintN(64, id) >> 56n === TTL_MARK
    if (isTtl) return `ttl ${BigInt.asUintN(40, id)}`
    return this.#sessions.get(id) ?? 'unknown'
  }

  async play({ client: number, request }: Step): Promise<string[]> {
    if (request.op === 'reconnect') return this.#reconnect(number, request)
    if (request.op === 'expire') return this.#expire(request.path)
    const client = await this.#client(number)
    const { type, body } = requestBytes(request, this.root)
    const { events, answer } = await client.ask(type, body)
    if (answer !== null) this.#saw(answer)
    const lines = events.map((event) => `client ${number} ${eventText(event, this)}`)
    if (answer === null || request.op === 'closeSession') {
      this.#clients.delete(number)
      if (answer !== null) this.#open.delete(client.session.id)
      client.drop()
    }
    lines.push(
      answer === null
        ? `client ${number} is hung up on`
        : `client ${number} ${replyText(type, answer, this)}`,
    )
    const others = await this.#gather(number)
    // A session's ephemerals go in no order that anybody promises.
    if (request.op === 'closeSession') return [...lines.sort(), ...others.sort()]
    return [...lines, ...others]
  }

  /** Who hears what in the end, and the whole tree. */
  async end(): Promise<string[]> {
    const lines: string[] = []
    for (const [number] of this.#clients) lines.push(...(await this.#hear(number)))
    const client = await WireClient.open(this.#port)
    this.#open.set(client.session.id, client.session)
    lines.push(...(await this.#tree(client, '/')))
    client.drop()
    return lines
  }

  /** One that is left to expire would take a zxid in the middle of a later run. */
  async closeSessions(): Promise<void> {
    for (const client of this.#clients.values()) client.drop()
    for (const session of this.#open.values()) {
      const client = await WireClient.open(this.#port, session)
      await client.ask(OpCode.closeSession, NO_BODY)
      client.drop()
    }
  }

  async #client(number: number): Promise<WireClient> {
    const known = this.#clients.get(number)
    if (known !== undefined) return known
    return this.#adopt(number, await WireClient.open(this.#port))
  }

  #adopt(number: number, client: WireClient): WireClient {
    const { id } = client.session
    this.#open.set(id, client.session)
    if (!this.#sessions.has(id)) this.#sessions.set(id, `session ${++this.#opened}`)
    this.#clients.set(number, client)
    return client
  }

  #saw(answer: Uint8Array): void {
    const { zxid } = readHeader(answer)
    if (zxid > this.#lastZxid) this.#lastZxid = zxid
  }

  async #expire(path: string): Promise<string[]> {
    const watching = await WireClient.open(this.#port)
    const doomed = await WireClient.open(this.#port, NEW_SESSION, EXPIRY_MS)
    this.#sessions.set(doomed.session.id, `session ${++this.#opened}`)
    const marker = `${this.root}/expiring`
    await doomed.ask(OpCode.create, ephemeral(marker))
    const { answer } = await doomed.ask(OpCode.create, ephemeral(below(this.root, path)))
    const said = answer === null ? 'is hung up on' : replyText(OpCode.create, answer, this)
    doomed.drop()
    const question = encode(proto.existsRequestRecord, { path: marker, watch: false })
    for (let isThere = true; isThere;) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      const found = await watching.ask(OpCode.exists, question)
      isThere = found.answer !== null && readHeader(found.answer).err === 0
    }
    await watching.ask(OpCode.closeSession, NO_BODY)
    watching.drop()
    return [`the one that expires ${said}`, ...(await this.#gather(-1)).sort()]
  }

  async #reconnect(number: number, again: Rearming): Promise<string[]> {
    const old = await this.#client(number)
    old.drop()
    const client = this.#adopt(number, await WireClient.open(this.#port, old.session))
    const at = (paths: readonly string[]): string[] => paths.map((path) => below(this.root, path))
    const lists = {
      relativeZxid: again.since === 'begin' ? this.baseZxid : this.#lastZxid,
      dataWatches: at(again.data),
      existWatches: at(again.exist),
      childWatches: at(again.child),
    }
    const more = {
      persistentWatches: at(again.persistent),
      persistentRecursiveWatches: at(again.recursive),
    }
    const type = again.isOld ? OpCode.setWatches : OpCode.setWatches2
    const body = again.isOld
      ? encode(setWatchesRecord, lists)
      : encode(setWatches2Record, { ...lists, ...more })
    const { events, answer } = await client.ask(type, body)
    const said = answer === null ? 'is hung up on' : replyText(type, answer, this)
    const told = events.map((event) => `client ${number} ${eventText(event, this)}`).sort()
    return [...told, `client ${number} again ${this.sessionName(client.session.id)} ${said}`]
  }

  /** What the others were told of this step. */
  async #gather(but: number): Promise<string[]> {
    const lines: string[] = []
    for (const number of [...this.#clients.keys()].sort()) {
      if (number !== but) lines.push(...(await this.#hear(number)))
    }
    return lines
  }

  async #hear(number: number): Promise<string[]> {
    const client = this.#clients.get(number)
    if (client === undefined) return []
    const { events, answer } = await client.ask(OpCode.ping, NO_BODY)
    const lines = events.map((event) => `client ${number} ${eventText(event, this)}`)
    if (answer !== null) return lines
    this.#clients.delete(number)
    return [...lines, `client ${number} is hung up on`]
  }

  async #tree(client: WireClient, path: string): Promise<string[]> {
    const body = encode(proto.getChildren2RequestRecord, {
      path: below(this.root, path),
      watch: false,
    })
    const { answer } = await client.ask(OpCode.getChildren2, body)
    if (answer === null) return [`${path}: hung up`]
    const lines = [`${path}: ${replyText(OpCode.getChildren2, answer, this)}`]
    if (readHeader(answer).err !== 0) return lines
    const r = new JuteReader(answer)
    r.int()
    r.long()
    r.int()
    const { children } = proto.getChildren2ResponseRecord.read(r)
    for (const child of [...(children ?? [])].sort()) {
      lines.push(...(await this.#tree(client, path === '/' ? `/${child}` : `${path}/${child}`)))
    }
    return lines
  }
}

function ephemeral(path: string): Uint8Array {
  const { flag: flags } = CreateMode.EPHEMERAL
  return encode(proto.createRequestRecord, { path, data: null, acl: OPEN_ACL, flags })
}
