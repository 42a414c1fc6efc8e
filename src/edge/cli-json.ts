/** `zabra cli --json`: one command and what came of it as one line of JSON, for programs. */
import type { ShellClient } from '../cli/command.ts'
import { isZooKeeperError } from '../client/errors.ts'

/** The answers that a command's last call got, which say more than its lines. */
export class JsonRecord {
  readonly #lines: string[] = []
  #result: unknown = null
  #error: unknown = null

  print(line: string): void {
    this.#lines.push(line)
  }

  /** The same client, whose answers are noted. */
  noting(client: ShellClient): ShellClient {
    return new Proxy(client, {
      get: (target, name) => {
        const member = Reflect.get(target, name, target) as unknown
        if (typeof member !== 'function') return member
        return (...args: readonly unknown[]) => {
          const answer: unknown = Reflect.apply(member, target, args)
          return answer instanceof Promise ? this.#note(answer) : answer
        }
      },
    })
  }

  /** Without a line break. */
  text(command: readonly string[], hasFailed: boolean): string {
    const outcome = hasFailed ? { ok: false, error: this.#failure() } : { ok: true }
    const all = { command, ...outcome, result: hasFailed ? null : this.#result }
    return JSON.stringify({ ...all, output: this.#lines }, replacer)
  }

  async #note(answer: Promise<unknown>): Promise<unknown> {
    try {
      this.#result = (await answer) ?? null
      return this.#result
    } catch (error) {
      this.#error = error
      throw error
    }
  }

  #failure(): Readonly<Record<string, unknown>> {
    const message = this.#lines.at(-1) ?? ''
    if (!isZooKeeperError(this.#error)) return { message }
    const { code, name, path } = this.#error
    return { code, name, path, message }
  }
}

/** Ids and zxids as ZooKeeper prints them; data as text where it is text. */
function replacer(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `0x${BigInt.asUintN(64, value).toString(16)}`
  if (value instanceof Uint8Array) return dataOf(value)
  return value
}

function dataOf(bytes: Uint8Array): unknown {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return { base64: Buffer.from(bytes).toString('base64') }
  }
}
