/**
 * The zkCli terminal as a page element: a log that screen readers follow, a prompt, a history on
 * the arrow keys and completion on Tab. It knows nothing of ZooKeeper; a Shell does.
 */
import { showText } from './page-elements.ts'

/** Lines kept in the log; older ones go, so that a watch storm cannot eat the tab's memory. */
const LOG_LINES_MAX = 5_000
/** Commands kept for the arrow keys. */
const RECALL_MAX = 200

export interface TerminalShell {
  run(line: string): Promise<void>
  prompt(): string
  complete(line: string): Promise<readonly string[]>
}

export interface TerminalElements {
  readonly log: HTMLElement
  readonly form: HTMLFormElement
  readonly prompt: HTMLElement
  readonly input: HTMLInputElement
}

export class TerminalView {
  readonly #elements: TerminalElements
  readonly #recall: string[] = []
  #recallAt = 0
  #shell: TerminalShell | null = null
  #running: Promise<void> = Promise.resolve()

  constructor(elements: TerminalElements) {
    this.#elements = elements
    const { form, input, log } = elements
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      this.#submit(input.value)
    })
    input.addEventListener('keydown', (event) => this.#onKey(event))
    log.addEventListener('click', () => {
      // A click that selects text must not lose the selection to the input.
      if (getSelection()?.isCollapsed ?? true) input.focus({ preventScroll: true })
    })
  }

  attach(shell: TerminalShell): void {
    this.#shell = shell
    this.refreshPrompt()
  }

  refreshPrompt(): void {
    showText(this.#elements.prompt, this.#shell?.prompt() ?? '')
  }

  /** Text may hold several lines; it is shown as text, never as markup. */
  write(text: string, kind: 'out' | 'typed' | 'event' | 'log-line' = 'out'): void {
    const { log } = this.#elements
    const follows = log.scrollHeight - log.scrollTop - log.clientHeight < 40
    const line = document.createElement('div')
    if (kind !== 'out') line.className = kind
    line.textContent = text === '' ? '\u00a0' : text
    log.append(line)
    while (log.childElementCount > LOG_LINES_MAX) log.firstElementChild?.remove()
    if (follows) log.scrollTop = log.scrollHeight
  }

  /** Take no more commands: the machine is gone. */
  close(reason: string): void {
    this.#shell = null
    this.#elements.input.disabled = true
    this.#elements.prompt.textContent = ''
    this.write(reason, 'log-line')
  }

  #submit(line: string): void {
    const shell = this.#shell
    if (shell === null) return
    this.#elements.input.value = ''
    if (line.trim() !== '') {
      if (this.#recall.at(-1) !== line) this.#recall.push(line)
      if (this.#recall.length > RECALL_MAX) this.#recall.shift()
    }
    this.#recallAt = this.#recall.length
    // One command after another, as on a real terminal: typing ahead is allowed.
    this.#running = this.#running.then(async () => {
      this.write(`${shell.prompt()}${line}`, 'typed')
      try {
        await shell.run(line)
      } catch (error) {
        this.write(`The command failed: ${String(error)}`)
      }
      this.refreshPrompt()
    })
  }

  #onKey(event: KeyboardEvent): void {
    if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
      event.preventDefault()
      this.#recallAt += event.key === 'ArrowUp' ? -1 : 1
      this.#recallAt = Math.max(0, Math.min(this.#recall.length, this.#recallAt))
      this.#elements.input.value = this.#recall[this.#recallAt] ?? ''
    } else if (event.key === 'Tab' && !event.shiftKey && this.#elements.input.value !== '') {
      event.preventDefault()
      void this.#complete(this.#elements.input.value)
    } else if (event.key === 'l' && event.ctrlKey) {
      event.preventDefault()
      this.#elements.log.replaceChildren()
    }
  }

  async #complete(line: string): Promise<void> {
    const choices = (await this.#shell?.complete(line)) ?? []
    const { input } = this.#elements
    if (input.value !== line) return
    if (choices.length > 1) this.write(choices.join('  '), 'log-line')
    const common = commonStart(choices)
    const word = /\S*$/.exec(line)?.[0] ?? ''
    if (common.length <= word.length) return
    input.value =
      line.slice(0, line.length - word.length) + common + (choices.length === 1 ? ' ' : '')
  }
}

function commonStart(words: readonly string[]): string {
  const [first = '', ...others] = words
  let length = first.length
  for (const word of others) {
    while (!word.startsWith(first.slice(0, length))) length--
  }
  return first.slice(0, length)
}
