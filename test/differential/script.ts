/** Scripts drawn from a seed: few paths and values, so that they meet often. */
import { Prng } from '../../src/core/base/prng.ts'
import { OPEN_ACL, PERMS_ALL } from './acl-lists.ts'
import type { Acl } from '../../src/core/jute/data-records.ts'
import { OpCode } from '../../src/core/jute/op-code.ts'
import { QUOTA_MARK } from './request-bytes.ts'
import type { Change, CreateArguments, MultiPart, Request, Step, WholeRequest } from './step.ts'

export const CLIENTS = 3

const PATHS = ['/a', '/a/b', '/a/b/c', '/d', '/d/e', '/f', '/long-name', '/d/sequence-'] as const
const ODD_PATHS = ['', 'a', '/a/', '/a//b', '/a/./b', '/a/../b', '/a\u0000', '/a\u0001', '/\ud7ff']
const DATA = [null, '', 'x', 'some data', 'ünï', 'y'.repeat(1500)] as const
const VERSIONS = [-1, -1, -1, 0, 0, 1, 2, 7, -2] as const
const FLAGS = [0, 0, 0, 1, 1, 2, 3] as const
const ODD_FLAGS = [4, 5, 6, 7, 100, -1]
/** Beyond 2^40 − 1 Apache ZooKeeper 3.8 ends with an exception. */
const TTLS = [1_000_000, 60_000_000, 2 ** 40 - 1]

/** Lengths and counts that decoders trip over. */
const INTS = [-1, 0, 1, 2, -2, 0x7fff_ffff, -0x8000_0000, 0x10_0000, 0xffff]

/**
 * All but what 3.8.0 is known to answer otherwise, what ends a connection in its own way, and the
 * types of transactions and events, which are no requests. deleteContainer is the server's own
 * (W46).
 */
const RAW_TYPES: readonly number[] = [
  ...Object.values(OpCode).filter((type) => type > 0 && !isKept(type)),
  ...[888, -12, 0x7fff_ffff],
]

function isKept(type: number): boolean {
  const kept: readonly number[] = [
    ...[OpCode.check, OpCode.checkWatches, OpCode.auth, OpCode.sasl],
    OpCode.deleteContainer,
  ]
  return kept.includes(type)
}

/**
 * 4 and 5 came with 3.9; the server compared with is 3.8. Its checkWatches finds the watches of
 * others, too, so it is left out, and so is a check outside a multi, which 3.9 refuses (W45).
 */
const WATCHER_TYPES = [1, 2, 3, 9]

const ACLS: readonly (readonly Acl[])[] = [
  OPEN_ACL,
  OPEN_ACL,
  OPEN_ACL,
  [],
  [{ perms: 1, id: { scheme: 'world', id: 'anyone' } }],
  [{ perms: PERMS_ALL, id: { scheme: 'auth', id: '' } }],
  [{ perms: PERMS_ALL, id: { scheme: 'digest', id: 'u:bad' } }],
  [
    { perms: 1, id: { scheme: 'world', id: 'anyone' } },
    { perms: PERMS_ALL, id: { scheme: 'auth', id: '' } },
  ],
  [{ perms: PERMS_ALL, id: { scheme: 'ip', id: '127.0.0.1/8' } }],
  [{ perms: PERMS_ALL, id: { scheme: 'ip', id: '300.1.1.1' } }],
  [{ perms: PERMS_ALL, id: { scheme: 'unknown', id: 'x' } }],
  [{ perms: 0, id: { scheme: 'world', id: 'anyone' } }],
  [{ perms: PERMS_ALL, id: { scheme: 'world', id: 'someone' } }],
]

const READABLE_ACLS = ACLS.filter(
  (list) =>
    list.length === 0 || list.some(({ id, perms }) => id.id === 'anyone' && (perms & 1) === 1),
)

/**
 * Where 3.8.0 differs from the rules of today's ZooKeeper, scripts keep away from one half or the
 * other: its exists asks for no permission (D60), and a client has one kind of watch on a path
 * there, so that persistent ones and plain ones replace each other.
 */
interface Theme {
  /** Nodes that not everybody may read; then nobody asks whether a node exists. */
  readonly hasSecrets: boolean
  /** Persistent watches; then there are no others, and nobody removes any. */
  readonly hasPersistentWatches: boolean
  /** Limits and counts below /zookeeper/quota. */
  readonly hasQuotas: boolean
  /** One session that falls silent. */
  readonly hasExpiry: boolean
}

export function drawScript(seed: number, length: number): Step[] {
  const theme = {
    hasSecrets: seed % 2 === 0,
    hasPersistentWatches: seed % 4 < 2,
    hasQuotas: seed % 5 === 0,
    hasExpiry: seed % 8 === 3,
  }
  const draw = new Draw(new Prng(seed), theme)
  const begun = theme.hasQuotas ? quotaNodes() : []
  const expiryAt = theme.hasExpiry ? draw.below(length) : -1
  return Array.from({ length }, (_, at) => {
    const client = draw.below(CLIENTS)
    const request = at === expiryAt ? draw.expiry() : draw.request()
    return begun[at] ?? { client, request }
  })
}

const QUOTAS = ['', '/a', '/d'].map((path) => `${QUOTA_MARK}${path}`)
const LIMITS = [
  'count=3,bytes=100',
  'count=-1,bytes=-1',
  'count=2,bytes=-1=;byteHardLimit=50;countHardLimit=4',
]

/** As setquota makes them: the way there, then the limits, then the counts. */
function quotaNodes(): Step[] {
  const paths = QUOTAS.flatMap((path, i) => {
    const own = i === 0 ? [] : [`${path}/zookeeper_limits`, `${path}/zookeeper_stats`]
    return [path, ...own]
  })
  return paths.map((path) => {
    const data = path.endsWith('_limits')
      ? 'count=3,bytes=100'
      : path.endsWith('_stats')
        ? ZERO
        : ''
    return { client: 0, request: { op: 'create', path, data, acl: OPEN_ACL, flags: 0 } }
  })
}

const ZERO = 'count=0,bytes=0'

class Draw {
  readonly #prng: Prng
  readonly #theme: Theme

  constructor(prng: Prng, theme: Theme) {
    this.#prng = prng
    this.#theme = theme
  }

  below(bound: number): number {
    return this.#prng.int(bound)
  }

  expiry(): Request {
    return { op: 'expire', path: this.#of(PATHS) }
  }

  request(): Request {
    if (this.#theme.hasQuotas && this.below(12) === 0) return this.#quota()
    const dice = this.below(104)
    if (dice < 24) return this.#creation()
    if (dice < 34) return { op: 'delete', path: this.#path(), version: this.#of(VERSIONS) }
    if (dice < 44) return this.#setData()
    if (dice < 66) return this.#read()
    if (dice < 70) return this.#multi()
    if (dice < 73) return this.#multiRead()
    if (dice < 76) return { op: 'setACL', path: this.#path(), ...this.#acl(), version: -1 }
    if (dice < 79) return { op: 'getACL', path: this.#path() }
    if (dice < 87) return this.#watchChange()
    if (dice < 89) return { op: 'getAllChildrenNumber', path: this.#of(PATHS) }
    if (dice < 91) return { op: 'getEphemerals', path: this.#of(['/', '/a', '/d', '/none']) }
    if (dice < 93) return { op: 'sync', path: this.#path() }
    if (dice < 95) return this.#auth()
    if (dice < 96) return { op: 'whoAmI' }
    if (dice < 97) return { op: 'closeSession' }
    if (dice < 99) return this.#reconnect()
    if (dice < 102) return this.#broken()
    return dice < 103 ? this.#reconfig() : this.#raw()
  }

  #quota(): Request {
    const of = this.#of(QUOTAS.slice(1))
    const dice = this.below(4)
    const limits = `${of}/zookeeper_limits`
    if (dice === 0) return { op: 'setData', path: limits, data: this.#of(LIMITS), version: -1 }
    const path = dice === 1 ? limits : `${of}/zookeeper_stats`
    return { op: 'getData', path, watch: false }
  }

  /** Of the kinds of watches that the theme has. */
  #reconnect(): Request {
    const some = (): string[] => Array.from({ length: this.below(3) }, () => this.#path())
    const [first, second, third] = [some(), some(), some()]
    const since = this.#of(['begin', 'now'] as const)
    const none = { data: [], exist: [], child: [], persistent: [], recursive: [] }
    if (!this.#theme.hasPersistentWatches) {
      const isOld = this.below(3) === 0
      return { op: 'reconnect', ...none, isOld, since, data: first, exist: second, child: third }
    }
    const all = [...first, ...second]
    const persistent = all.filter((path) => path.length % 2 === 0)
    const recursive = all.filter((path) => path.length % 2 === 1)
    return { op: 'reconnect', ...none, isOld: false, since, persistent, recursive }
  }

  #path(): string {
    return this.below(40) === 0 ? this.#of(ODD_PATHS) : this.#of(PATHS)
  }

  #acl(): { readonly acl: readonly Acl[] } {
    const acls = this.#theme.hasSecrets ? ACLS : READABLE_ACLS
    return { acl: this.below(4) > 0 ? OPEN_ACL : this.#of(acls) }
  }

  #arguments(): CreateArguments {
    const flags = this.below(12) === 0 ? this.#of(ODD_FLAGS) : this.#of(FLAGS)
    return { path: this.#path(), data: this.#of(DATA), ...this.#acl(), flags }
  }

  #creation(): MultiPart {
    const dice = this.below(12)
    if (dice < 6) return { op: 'create', ...this.#arguments() }
    if (dice < 9) return { op: 'create2', ...this.#arguments() }
    if (dice < 10) {
      const flags = this.below(6) === 0 ? 0 : 4
      return { op: 'createContainer', ...this.#arguments(), flags }
    }
    const flags = this.below(6) === 0 ? 0 : this.#of([5, 6])
    return { op: 'createTTL', ...this.#arguments(), flags, ttl: this.#of(TTLS) }
  }

  #setData(): MultiPart {
    const version = this.#of(VERSIONS)
    return { op: 'setData', path: this.#path(), data: this.#of(DATA), version }
  }

  #read(): Request {
    const ops = ['getData', 'getChildren', 'getChildren2', 'exists'] as const
    const op = ops[this.below(this.#theme.hasSecrets ? 3 : 4)] ?? 'getData'
    return { op, path: this.#path(), watch: this.#isWatching() }
  }

  #isWatching(): boolean {
    return !this.#theme.hasPersistentWatches && this.below(2) === 0
  }

  #multi(): Request {
    const part = (): MultiPart => {
      const dice = this.below(4)
      if (dice === 0) return this.#creation()
      if (dice === 1) return this.#setData()
      const op = dice === 2 ? 'delete' : 'check'
      return { op, path: this.#path(), version: this.#of(VERSIONS) }
    }
    return { op: 'multi', parts: Array.from({ length: this.below(5) }, part) }
  }

  #multiRead(): Request {
    const part = (): { op: 'getData' | 'getChildren'; path: string; watch: boolean } => ({
      op: this.#of(['getData', 'getChildren'] as const),
      path: this.#path(),
      watch: this.#isWatching() && this.below(3) === 0,
    })
    return { op: 'multiRead', parts: Array.from({ length: this.below(4) }, part) }
  }

  #watchChange(): Request {
    if (this.#theme.hasPersistentWatches) {
      const path = this.#path()
      // One mode for each path: another one would replace the first there.
      return { op: 'addWatch', path, mode: this.below(9) === 0 ? 2 : path.length % 2 }
    }
    return { op: 'removeWatches', path: this.#path(), type: this.#of(WATCHER_TYPES) }
  }

  #auth(): Request {
    const good = { op: 'auth', scheme: 'digest' } as const
    const dice = this.below(12)
    if (dice === 0) return { op: 'auth', scheme: 'unknown', id: 'x' }
    return { ...good, id: this.#of(['u:p', 'v:q', 'w:with:colons']) }
  }

  #raw(): Request {
    return { op: 'raw', type: this.#of(RAW_TYPES), bytes: this.#bytes() }
  }

  #bytes(): number[] {
    return Array.from({ length: this.below(12) }, () => this.below(256))
  }

  /** It is off by default, on both. */
  #reconfig(): Request {
    const servers = [null, '', '1', 'server.2=127.0.0.1:1:2:participant;3'] as const
    const [joining, leaving, members] = [this.#of(servers), this.#of(servers), this.#of(servers)]
    return { op: 'reconfig', joining, leaving, members, version: this.#of(VERSIONS) }
  }

  #broken(): Request {
    const changes = Array.from({ length: 1 + this.below(3) }, () => this.#change())
    return { op: 'broken', of: this.#spoilable(), changes }
  }

  #change(): Change {
    const at = this.below(2000)
    const dice = this.below(4)
    if (dice === 0) return { kind: 'bit', at, bit: this.below(8) }
    if (dice === 1) return { kind: 'int', at: at - (at % 4), value: this.#of(INTS) }
    return dice === 2 ? { kind: 'cut', at } : { kind: 'more', bytes: this.#bytes() }
  }

  /** Nothing that could become what scripts keep away from. */
  #spoilable(): WholeRequest {
    const path = this.#of(PATHS)
    const dice = this.below(8)
    if (dice === 0) return { op: 'create', ...this.#arguments() }
    if (dice === 1) return { op: 'create2', ...this.#arguments() }
    if (dice === 2) return { op: 'delete', path, version: this.#of(VERSIONS) }
    if (dice === 3) return this.#setData()
    if (dice === 4) return { op: 'setACL', path, ...this.#acl(), version: -1 }
    if (dice === 5) return { op: this.#of(['getACL', 'sync', 'getAllChildrenNumber']), path }
    if (dice === 6 || this.#theme.hasPersistentWatches) return { op: 'getEphemerals', path }
    return { op: this.#of(['getData', 'getChildren', 'getChildren2']), path, watch: false }
  }

  #of<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T
  }
}
