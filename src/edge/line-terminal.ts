/** Lines that a person types, with history and completion; piped in, they are run one by one. */
import { createInterface, type Interface } from 'node:readline'

/** Lines that the arrow keys reach. Ours: as many as the shell remembers. */
const HISTORY_MAX = 1000
const CLEAR_LINE = '\r\u001b[2K'

export interface TypedShell {
  run(line: string): Promise<void>
  prompt(): string
  /** What the last word of the line can become. */
  complete(line: string): Promise<readonly string[]>
}

export interface LineTerminalOptions {
  readonly input: NodeJS.ReadableStream
  readonly output: NodeJS.WritableStream
  /** False for a pipe: no prompt, no echo. */
  readonly isInteractive: boolean
}

export class LineTerminal {
  readonly #output: NodeJS.WritableStream
  readonly #isInteractive: boolean
  readonly #lines: Interface
  #shell: TypedShell | null = null
  /** What a command says needs no prompt below it. */
  #isRunning = false
  #isClosed = false

  constructor({ input, output, isInteractive }: LineTerminalOptions) {
    this.#output = output
    this.#isInteractive = isInteractive
    this.#lines = createInterface({
      ...{ input, output, terminal: isInteractive, historySize: HISTORY_MAX },
      completer: (line: string, done: (error: null, found: [string[], string]) => void) => {
        void this.#complete(line).then((found) => done(null, found))
      },
    })
  }

  /** Over the prompt, which then stands below what was said, with what was typed so far. */
  write(line: string): void {
    this.#output.write(`${this.#isInteractive ? CLEAR_LINE : ''}${line}\n`)
    if (!this.#isRunning) this.#prompt()
  }

  /** Until the end of the input, or `close`. */
  async attend(shell: TypedShell): Promise<void> {
    this.#shell = shell
    this.#prompt()
    for await (const line of this.#lines) {
      this.#isRunning = true
      await shell.run(line)
      this.#isRunning = false
      this.#prompt()
    }
  }

  /** Nothing is read any more; what is written still comes. */
  close(): void {
    this.#isClosed = true
    this.#lines.close()
  }

  /** Anew each time: how the connection is stands in it. */
  #prompt(): void {
    if (this.#shell === null || this.#isClosed || !this.#isInteractive) return
    this.#lines.setPrompt(this.#shell.prompt())
    this.#lines.prompt(true)
  }

  async #complete(line: string): Promise<[string[], string]> {
    const word = line.split(/\s+/).at(-1) ?? ''
    const found = (await this.#shell?.complete(line)) ?? []
    const [only] = found
    return [found.length === 1 ? [`${only ?? ''} `] : [...found], word]
  }
}
