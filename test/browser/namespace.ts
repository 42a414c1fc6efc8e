/**
 * Network namespaces without any privilege where the kernel allows it: of a user namespace in which
 * this user is root. Whoever is root already needs none. A namespace lives as long as the process
 * that holds it, and that one as long as this one.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** Of `unshare`. */
const WAYS: readonly (readonly string[])[] = [['--net'], ['--map-root-user', '--net']]
const COMMAND_LIMIT_MS = 20_000

export class Namespace {
  readonly #holder: ChildProcess
  /** Its network is of a user namespace that has to be entered too. */
  readonly #isMapped: boolean

  private constructor(holder: ChildProcess, isMapped: boolean) {
    this.#holder = holder
    this.#isMapped = isMapped
  }

  /** With a loopback device that is down, and nothing else. Rejects with why it cannot be. */
  static async make(): Promise<Namespace> {
    const reasons: string[] = []
    for (const way of WAYS) {
      try {
        const made = new Namespace(await held(['unshare', ...way]), way.length > 1)
        await made.run('ip', 'link', 'set', 'lo', 'up')
        return made
      } catch (error) {
        const [said = ''] = (error instanceof Error ? error.message : '?')
          .trim()
          .split('\n')
          .slice(-1)
        reasons.push(`unshare ${way.join(' ')}: ${said}`)
      }
    }
    throw new Error(`no network namespaces here: ${reasons.join('; ')}`)
  }

  get pid(): number {
    return this.#holder.pid ?? 0
  }

  /** Another one with the same rights. */
  async sibling(): Promise<Namespace> {
    return new Namespace(await held(this.inside('unshare', '--net')), this.#isMapped)
  }

  /** The command that runs this command in here. */
  inside(...command: readonly string[]): readonly [string, ...string[]] {
    const rights = this.#isMapped ? ['--user', '--preserve-credentials'] : []
    return ['nsenter', '--target', String(this.pid), ...rights, '--net', ...command]
  }

  async run(...command: readonly string[]): Promise<void> {
    await this.feed('', ...command)
  }

  /** Resolves when it has ended well. */
  async feed(input: string, ...command: readonly string[]): Promise<void> {
    const [program, ...args] = this.inside(...command)
    await new Promise<void>((resolve, reject) => {
      const child = execFile(program, args, { timeout: COMMAND_LIMIT_MS }, (error) => {
        if (error === null) resolve()
        else reject(new Error(error.message, { cause: error }))
      })
      // Who has ended does not listen any more; its end says how it went.
      child.stdin?.on('error', () => {}).end(input)
    })
  }

  end(): void {
    this.#holder.kill('SIGKILL')
  }
}

/** A process in a namespace of its own that does nothing and ends with its input. */
async function held([program = '', ...args]: readonly string[]): Promise<ChildProcess> {
  const child = spawn(program, [...args, 'sh', '-c', 'echo ready; exec cat'], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const ended = once(child, 'close').then(() => {
    throw new Error(said.trim() || `${program} ended`)
  })
  await Promise.race([once(child.stdout, 'data'), ended])
  ended.catch(() => {})
  return child
}
