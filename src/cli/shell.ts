/**
 * ZooKeeper's shell over a client: lines in, lines out. The page's terminal and the Node binary
 * share it; echoing what is typed, with the prompt before it, is the terminal's part.
 */

import { isAlive, type ClientState } from '../client/session-protocol.ts'
import type { WatchedEvent } from '../client/watched-event.ts'
import { EventType, KeeperState } from '../core/jute/event-type.ts'
import type { CommandContext, ConnectTo, ShellClient, ShellMode } from './command.ts'
import { commandNames, findCommand, usageLines } from './command-list.ts'
import { errorLine, eventText, statLines } from './format.ts'
import { CommandError, splitLine } from './parse.ts'

/** How long a command waits for a connection, in ms. Ours: a person waits; a failover fits in. */
const UNSENT_WAIT_MS = 5000

/** Remembered lines. Ours: `redo` of an older one is out of range. */
const HISTORY_MAX = 1000

/** Lines that `history` prints, the current one included (C21). */
const HISTORY_SHOWN = 11

export interface ShellOptions {
  /** Makes a client that begins to connect at once, with this default watcher. */
  readonly connect: (to: ConnectTo) => ShellClient
  /** One line of output, without its line break; of a watch event, or of a command. */
  readonly write: (line: string, kind: 'out' | 'event') => void
  readonly mode: ShellMode
  /** Stands in the prompt: `localhost:2181`. */
  readonly hostLabel: string
  /** For the dates of a Stat; default: the platform's. */
  readonly timeZone?: string
  /** Of a file that a person names; default: there are none here. */
  readonly readText?: (path: string) => Promise<string>
  /** `quit` was typed. */
  readonly onQuit?: () => void
}

export class Shell {
  readonly #options: ShellOptions
  #client: ShellClient
  #host: string
  /** Lines by command number; the first numbers are forgotten when there are too many. */
  readonly #history = new Map<number, string>()
  #commandCount = 0
  #printsWatches = true
  #isOver = false
  #hasFailed = false
  /** One command at a time, in the order of typing. */
  #last: Promise<void> = Promise.resolve()

  /** Prints the start text (C1); the connection event follows when there is one. */
  constructor(options: ShellOptions) {
    this.#options = options
    this.#host = options.hostLabel
    this.#print(`Connecting to ${options.hostLabel}`)
    this.#client = this.#connect(options.hostLabel)
    this.#print('Welcome to ZooKeeper!')
    this.#print('JLine support is enabled')
  }

  get client(): ShellClient {
    return this.#client
  }

  get mode(): ShellMode {
    return this.#options.mode
  }

  /** Lines typed so far, the oldest first. */
  get history(): readonly string[] {
    return [...this.#history.values()]
  }

  /** Whether the last command ended with an error. */
  get hasFailed(): boolean {
    return this.#hasFailed
  }

  /** `[zk: localhost:2181(CONNECTED) 3] `, with the blank at its end (C2). */
  prompt(): string {
    return `[zk: ${this.#host}(${this.#state()}) ${this.#commandCount}] `
  }

  /** Resolves when the command is done and its output written. Never rejects. */
  run(line: string): Promise<void> {
    this.#last = this.#last.then(() => this.#execute(line))
    return this.#last
  }

  /** What the last word of the line can become: command names, then paths of znodes (C6). */
  async complete(line: string): Promise<string[]> {
    const words = line.split(/\s+/)
    const word = words.at(-1) ?? ''
    if (word.startsWith('/')) return this.#completePath(word)
    if (words.length > 1) return []
    return commandNames(this.mode)
      .filter((name) => name.startsWith(word))
      .sort()
  }

  /** Ends the session. */
  async close(): Promise<void> {
    this.#isOver = true
    await this.#client.close()
  }

  async #execute(line: string): Promise<void> {
    if (this.#isOver || line.trim() === '') return
    this.#remember(line)
    await this.#process(splitLine(line))
    this.#commandCount++
  }

  async #process(words: readonly string[]): Promise<void> {
    this.#hasFailed = false
    try {
      await this.#dispatch(words)
    } catch (error) {
      this.#hasFailed = true
      this.#print(errorLine(error, this.mode))
    }
  }

  async #dispatch(words: readonly string[]): Promise<void> {
    const [name = '', argument] = words
    if (!commandNames(this.mode).includes(name)) return this.#unknown(name)
    switch (name) {
      case 'quit':
      case 'exit':
        return this.#quit()
      case 'redo':
        if (argument !== undefined) await this.#redo(argument)
        break
      case 'history':
        this.#printHistory()
        break
      case 'printwatches':
        if (argument === undefined) this.#print(`printwatches is ${this.#onOff()}`)
        else this.#printsWatches = argument === 'on'
        break
      case 'connect':
        await this.#reconnect(argument ?? this.#host)
        break
    }
    if (!isAlive(this.#state())) return this.#print('Not connected')
    await findCommand(name, this.mode)?.run(this.#context(), words)
  }

  #unknown(name: string): void {
    for (const line of usageLines(this.mode)) this.#print(line)
    // The doubled words are the original's.
    if (this.mode !== '3.4') throw new CommandError(`Command not found: Command not found ${name}`)
  }

  async #quit(): Promise<void> {
    if (this.mode === '3.4') this.#print('Quitting...')
    await this.close()
    this.#options.onQuit?.()
  }

  async #redo(argument: string): Promise<void> {
    const index = /^[+-]?\d+$/.test(argument) ? Number(argument) : NaN
    const line = this.#history.get(index)
    if (!(index < this.#commandCount) || line === undefined) {
      return this.#refuse('Command index out of range')
    }
    const words = splitLine(line)
    if (words[0] === 'redo') return this.#refuse('No redoing redos')
    this.#history.set(this.#commandCount, line)
    await this.#process(words)
  }

  /** An error today, a mere message in 3.4, after which the test for a live handle follows. */
  #refuse(message: string): void {
    if (this.mode !== '3.4') throw new CommandError(message)
    this.#print(message)
  }

  #printHistory(): void {
    const last = this.#commandCount
    for (let i = Math.max(0, last - HISTORY_SHOWN + 1); i <= last; i++) {
      this.#print(`${i} - ${this.#history.get(i) ?? 'null'}`)
    }
  }

  #remember(line: string): void {
    this.#history.set(this.#commandCount, line)
    this.#history.delete(this.#commandCount - HISTORY_MAX)
  }

  async #reconnect(host: string): Promise<void> {
    await this.#client.close()
    this.#host = host
    this.#client = this.#connect(host)
  }

  #connect(host: string): ShellClient {
    return this.#options.connect({ host, watcher: (event) => this.#onEvent(event) })
  }

  /** Each text after an empty line, as printMessage does (C3). */
  #onEvent(event: WatchedEvent): void {
    if (!this.#printsWatches) return
    // 3.4 knows no such state: its handles end without a word.
    const isClosed = event.type === EventType.None && event.state === KeeperState.Closed
    if (isClosed && this.mode === '3.4') return
    for (const line of ['', 'WATCHER::', '', eventText(event, this.mode)]) {
      this.#options.write(line, 'event')
    }
  }

  #context(): CommandContext {
    const { timeZone } = this.#options
    return {
      client: this.#client,
      mode: this.mode,
      call: { unsentWaitMs: UNSENT_WAIT_MS },
      print: (line) => this.#print(line),
      printStat: (stat) => {
        for (const line of statLines(stat, timeZone)) this.#print(line)
      },
      ...(this.#options.readText && { readText: this.#options.readText }),
      background: (task) => {
        task.catch((error: unknown) => this.#print(errorLine(error, this.mode)))
      },
    }
  }

  async #completePath(word: string): Promise<string[]> {
    if (!isAlive(this.#state())) return []
    const slash = word.lastIndexOf('/')
    const parent = slash === 0 ? '/' : word.slice(0, slash)
    const prefix = word.slice(slash + 1)
    try {
      const names = await this.#client.getChildren(parent, { unsentWaitMs: 0 })
      return names
        .filter((name) => name.startsWith(prefix))
        .sort()
        .map((name) => (parent === '/' ? `/${name}` : `${parent}/${name}`))
    } catch {
      // Nothing to offer is not an error.
      return []
    }
  }

  #state(): ClientState {
    return this.#client.state
  }

  #onOff(): string {
    return this.#printsWatches ? 'on' : 'off'
  }

  /** Data may have line breaks of its own. */
  #print(text: string): void {
    for (const line of text.split('\n')) this.#options.write(line, 'out')
  }
}
