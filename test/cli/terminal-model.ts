// A person at a terminal: what the screen shows of a shell, keystroke for keystroke.
import { Shell, type ShellOptions } from '../../src/cli/shell.ts'
import type { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import { ZooKeeperClient as Client } from '../../src/client/zookeeper-client.ts'
import type { BenchTransport, ClientBench } from '../client/ensemble-bench.ts'
import { settle } from '../client/manual-ticker.ts'

export interface TerminalOptions extends Partial<ShellOptions> {
  readonly member?: number
  readonly sessionTimeoutMs?: number
}

export class TerminalModel {
  readonly shell: Shell
  readonly client: ZooKeeperClient
  readonly transport: BenchTransport
  #screen = ''

  constructor(bench: ClientBench, options: TerminalOptions = {}) {
    const { member = 0, sessionTimeoutMs = 30_000, ...shellOptions } = options
    let made: ZooKeeperClient | null = null
    this.transport = bench.transport(member)
    this.shell = new Shell({
      connect: ({ watcher }) => {
        made = new Client({
          transport: this.transport,
          ticker: bench.ticker,
          random: () => 0.5,
          sessionTimeoutMs,
          watcher,
        })
        return made
      },
      write: (line) => {
        this.#screen += `${line}\n`
      },
      mode: '3.9',
      hostLabel: 'localhost:2181',
      timeZone: 'Asia/Shanghai',
      ...shellOptions,
    })
    if (made === null) throw new Error('no client was made')
    this.client = made
  }

  /** Waits for the session and shows the first prompt. */
  async start(): Promise<this> {
    await this.client.connected()
    await settle()
    this.#screen += this.shell.prompt()
    return this
  }

  async type(line: string): Promise<void> {
    this.#screen += `${line}\n`
    await this.shell.run(line)
    await settle()
    this.#screen += this.shell.prompt()
  }

  /** Lines on the screen, without the blank that ends a prompt. */
  lines(): string[] {
    return this.#screen.split('\n').map((line) => line.trimEnd())
  }

  /** What the last command and the events since printed. */
  async outputOf(line: string): Promise<string[]> {
    const before = this.lines().length
    await this.type(line)
    return this.lines().slice(before, -1)
  }
}
