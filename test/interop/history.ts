/** One of every kind of change, made by clients of whatever server is there. */
import { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import type { ZooKeeperClientOptions } from '../../src/client/zookeeper-client.ts'
import { CreateMode } from '../../src/core/jute/create-mode.ts'
import type { Acl } from '../../src/core/jute/data-records.ts'
import { parseConnectString } from '../../src/edge/connect-string.ts'
import { TcpTransport } from '../../src/edge/tcp-transport.ts'

const ANN = 'ann:secret'
/** What the server makes of it. */
const ANN_ID = { scheme: 'digest', id: 'ann:7RJfAeIvrl4zdj6sS2fXrQHDvHM=' }
const ANYONE = { scheme: 'world', id: 'anyone' }
const HERE = { scheme: 'ip', id: '127.0.0.0/8' }
const HOUR_MS = 3_600_000
/** Most of what one request may have. */
const LONG_BYTES = 900_000
/** Requests of the stream under way at once. */
const PIPELINED = 50

export async function connect(
  hosts: string,
  options: Partial<ZooKeeperClientOptions> = {},
): Promise<ZooKeeperClient> {
  const { members } = parseConnectString(hosts)
  const transport = new TcpTransport({ members })
  const client = await ZooKeeperClient.connect({ transport, ...options })
  await client.addAuthInfo('digest', ANN)
  return client
}

/** Writes below `top`. The ephemerals there are `holder`'s, who must not close. */
export async function writeHistory(holder: ZooKeeperClient, top: string): Promise<void> {
  await holder.create(top)
  await writeData(holder, top)
  await writeModes(holder, top)
  await writeAcls(holder, top)
  await writeMultis(holder, top)
  const limits = `/zookeeper/quota${top}`
  await holder.create(limits)
  await holder.create(`${limits}/zookeeper_limits`, 'count=500,bytes=-1')
  await holder.create(`${limits}/zookeeper_stats`, 'count=0,bytes=0')
}

async function writeData(client: ZooKeeperClient, top: string): Promise<void> {
  const every = Uint8Array.from({ length: 256 }, (_, index) => index)
  await client.create(`${top}/null`)
  await client.create(`${top}/empty`, new Uint8Array())
  await client.create(`${top}/every-byte`, every)
  await client.create(`${top}/long`, new Uint8Array(LONG_BYTES).fill(7))
  await client.create(`${top}/ζέβρα 斑马`, 'ζέβρα 斑马')
  for (let version = 0; version < 3; version++) {
    await client.setData(`${top}/null`, `version ${version}`, version)
  }
  await client.setData(`${top}/empty`, null)
  await refused(client.setData(`${top}/empty`, '', 9))
  await refused(client.create(`${top}/empty`))
  await refused(client.delete(`${top}/none`))
  await client.create(`${top}/gone`)
  await refused(client.delete(top))
  await client.delete(`${top}/gone`)
}

async function writeModes(client: ZooKeeperClient, top: string): Promise<void> {
  for (const mode of Object.values<CreateMode>({ ...CreateMode })) {
    const options = { mode, ...(mode.isTTL ? { ttlMs: HOUR_MS } : {}) }
    await client.create(`${top}/${mode.name}-`, mode.name, options)
    if (mode.isSequential) await client.create(`${top}/${mode.name}-`, mode.name, options)
  }
  await client.create(`${top}/CONTAINER-/child`)
  await client.create(`${top}/CONTAINER-/other`)
  await client.delete(`${top}/CONTAINER-/other`)
}

async function writeAcls(client: ZooKeeperClient, top: string): Promise<void> {
  const own: Acl[] = [{ perms: 31, id: { scheme: 'auth', id: '' } }]
  await client.create(`${top}/own`, 'of ann alone', { acl: own })
  await client.create(`${top}/own/below`, null, { acl: own, mode: CreateMode.EPHEMERAL })
  await client.create(`${top}/mixed`)
  await client.setACL(`${top}/mixed`, [
    { perms: 1, id: ANYONE },
    { perms: 31, id: ANN_ID },
    { perms: 3, id: HERE },
  ])
  await client.setACL(`${top}/mixed`, [{ perms: 31, id: ANN_ID }], 1)
  await refused(client.setACL(`${top}/mixed`, own, 7))
}

async function writeMultis(client: ZooKeeperClient, top: string): Promise<void> {
  await client.multi([
    { kind: 'create', path: `${top}/multi`, data: 'one' },
    { kind: 'create', path: `${top}/multi/s-`, mode: CreateMode.PERSISTENT_SEQUENTIAL },
    { kind: 'create', path: `${top}/multi/e`, mode: CreateMode.EPHEMERAL },
    { kind: 'create', path: `${top}/multi/c`, mode: CreateMode.CONTAINER },
    { kind: 'setData', path: `${top}/multi`, data: 'two', version: 0 },
    { kind: 'check', path: `${top}/multi`, version: 1 },
    { kind: 'delete', path: `${top}/multi/e` },
  ])
  await refused(
    client.multi([
      { kind: 'create', path: `${top}/never` },
      { kind: 'check', path: `${top}/multi`, version: 0 },
    ]),
  )
}

/** Sets numbers 1, 2, 3… until the server is gone. */
export class Stream {
  readonly path: string
  readonly #client: ZooKeeperClient
  readonly #done: Promise<unknown>
  #sent = 0
  /** The newest number that the server has acknowledged. */
  acknowledged = 0
  #onProgress: () => void = () => undefined

  private constructor(client: ZooKeeperClient, path: string) {
    this.#client = client
    this.path = path
    this.#done = Promise.all(Array.from({ length: PIPELINED }, () => this.#run()))
  }

  static async start(client: ZooKeeperClient, path: string): Promise<Stream> {
    await client.create(path, '0')
    return new Stream(client, path)
  }

  async reached(count: number): Promise<void> {
    while (this.acknowledged < count) {
      await new Promise<void>((resolve) => (this.#onProgress = resolve))
    }
  }

  /** Resolves when the server is gone. */
  async end(): Promise<void> {
    await this.#done
  }

  async #run(): Promise<void> {
    for (;;) {
      const number = ++this.#sent
      try {
        await this.#client.setData(this.path, String(number))
      } catch {
        return
      }
      this.acknowledged = Math.max(this.acknowledged, number)
      this.#onProgress()
    }
  }
}

async function refused(call: Promise<unknown>): Promise<void> {
  const wasRefused = await call.then(
    () => false,
    () => true,
  )
  if (!wasRefused) throw new Error('was not refused')
}
