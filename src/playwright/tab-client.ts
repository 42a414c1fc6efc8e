/**
 * A handle in the page of a member, used from the test. Like every handle of the page it is
 * recorded from the bytes on its connections.
 */
import { ZooKeeperError } from '../client/errors.ts'
import type { CreateOptions, ZnodeData } from '../client/transaction.ts'
import type { Stat } from '../core/jute/data-records.ts'
import { decodeUtf8 } from '../core/base/utf8.ts'
import type { Member } from './member.ts'
import { inKit } from './page-call.ts'
import type { ClientAnswer, ClientRequest } from './page/page-news.ts'

export interface TabClientOptions {
  readonly sessionTimeoutMs?: number
}

const SESSION_TIMEOUT_MS = 10_000
let opened = 0

export class TabClient implements AsyncDisposable {
  readonly member: Member
  readonly #key: string

  private constructor(member: Member, key: string) {
    this.member = member
    this.#key = key
  }

  /** Resolves when the ensemble serves its session. */
  static async open(member: Member, options: TabClientOptions = {}): Promise<TabClient> {
    const { sessionTimeoutMs = SESSION_TIMEOUT_MS } = options
    const key = `client ${++opened}`
    await inKit(member.page, (kit, [name, ms]) => kit.openClient(name, ms), [
      key,
      sessionTimeoutMs,
    ] as const)
    return new TabClient(member, key)
  }

  create(path: string, data: ZnodeData = null, options: CreateOptions = {}): Promise<string> {
    return this.#call<string>('create', path, data, options)
  }

  delete(path: string, version = -1): Promise<void> {
    return this.#call('delete', path, version)
  }

  exists(path: string, options: { readonly watch?: true } = {}): Promise<Stat | null> {
    return this.#call('exists', path, options)
  }

  /** As text. */
  async getData(path: string, options: { readonly watch?: true } = {}): Promise<string> {
    const { data } = await this.#call<{ data: Uint8Array | null }>('getData', path, options)
    return decodeUtf8(data ?? new Uint8Array(0))
  }

  setData(path: string, data: ZnodeData, version = -1): Promise<Stat> {
    return this.#call('setData', path, data, version)
  }

  getChildren(path: string, options: { readonly watch?: true } = {}): Promise<readonly string[]> {
    return this.#call('getChildren', path, options)
  }

  sync(path: string): Promise<void> {
    return this.#call('sync', path)
  }

  /**
   * Sends a read and waits for nothing, also in a page that stands still, where it queues up. Its
   * answer is heard: `read DATA`, or `failed NAME`.
   */
  async ask(path: string): Promise<void> {
    await inKit(this.member.page, (kit, [key, node]) => kit.ask(key, node), [
      this.#key,
      path,
    ] as const)
  }

  /** Changes of its state, events of watches that its calls set, answers to `ask`, in order. */
  heard(): Promise<readonly string[]> {
    return inKit(this.member.page, (kit, key) => kit.heard(key), this.#key)
  }

  async session(): Promise<{ readonly id: bigint; readonly password: Uint8Array }> {
    return inKit(this.member.page, (kit, key) => kit.session(key), this.#key)
  }

  async close(): Promise<void> {
    await inKit(this.member.page, (kit, key) => kit.client(key).close(), this.#key)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // With its page everything of it is gone already.
    await this.close().catch(() => {})
  }

  async #call<T>(method: ClientRequest['method'], ...args: readonly unknown[]): Promise<T> {
    const request: ClientRequest = { key: this.#key, method, args }
    const answer: ClientAnswer = await inKit(this.member.page, (kit, r) => kit.call(r), request)
    if (answer.kind === 'value') return answer.value as T
    const { code, path, outcomeUnknown } = answer
    throw new ZooKeeperError(code, { path, outcomeUnknown })
  }
}
