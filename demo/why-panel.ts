/**
 * The "Why?" card: why this room works or does not, in sentences; the connection doctor; and the
 * details, folded. Texts are touched only when they change, so nothing jumps and a screen reader
 * is not interrupted.
 */
import type { Finding } from '../src/adapters/webrtc/doctor/finding.ts'
import type { Explanation } from '../src/browser/explanation.ts'
import type { Room } from '../src/browser/room.ts'
import { copyButton } from './copy-button.ts'
import type { IceSource } from './ice-source.ts'
import { IceForm } from './ice-form.ts'
import { make, showText } from './page-elements.ts'
import { linkLines, memberLines, serverLines, storageLines } from './why-text.ts'

/** A person looks, and a hidden page does not. */
const LOOK_INTERVAL_MS = 2_000

type Said = Pick<Finding, 'severity' | 'text' | 'help'> & { readonly code: string }

const SEVERITY_WORDS = { ok: 'fine', note: 'note', problem: 'problem' } as const

export class WhyPanel {
  readonly #room: Room
  readonly #reasons = make('ul', '', 'reasons')
  readonly #findings = make('ul', '', 'reasons')
  readonly #doctorSaid = make('p', '', 'note')
  readonly #examine = make('button', 'Check every connection')
  readonly #full = make('input', '')
  readonly #copySaid = make('span', '')
  readonly #details = new Map<string, HTMLElement>()
  readonly #shown = new Map<HTMLElement, string>()
  #newest: Explanation | null = null
  #examination: AbortController | null = null
  #found: readonly Finding[] | null = null

  constructor(home: HTMLElement, room: Room, ice: IceSource) {
    this.#room = room
    this.#examine.type = 'button'
    this.#examine.addEventListener('click', () => void this.#onExamine())
    this.#doctorSaid.setAttribute('role', 'status')
    this.#findings.setAttribute('aria-label', 'what the doctor found')
    this.#reasons.setAttribute('aria-label', 'how this room is')
    const copy = make('button', 'Copy this report')
    copy.type = 'button'
    this.#copySaid.setAttribute('role', 'status')
    copyButton(copy, this.#copySaid, () => this.#report())
    const buttons = make('div', '', 'row')
    buttons.append(this.#examine, copy, this.#copySaid)
    const form = new IceForm(ice, () => room.link)
    home.append(this.#reasons, buttons, this.#doctorSaid, this.#findings)
    home.append(this.#fullLabel())
    for (const name of ['Machines', 'Connections', 'Storage', 'Servers']) {
      home.append(this.#detail(name))
    }
    home.append(form.element)
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void this.#look()
    }, LOOK_INTERVAL_MS)
    room.ended.addEventListener('abort', () => {
      clearInterval(timer)
      this.#examination?.abort()
      this.#examine.disabled = true
    })
    void this.#look()
  }

  async #look(): Promise<void> {
    if (this.#room.ended.aborted) return
    try {
      const newest = await this.#room.explain({ fullAddresses: this.#full.checked })
      this.#newest = newest
      this.#show(newest)
    } catch {
      // The tab ended between the two lines: the page says so in large letters.
    }
  }

  #show(newest: Explanation): void {
    this.#list(this.#reasons, newest.reasons)
    this.#lines('Machines', memberLines(newest))
    this.#lines('Connections', linkLines(newest.links))
    this.#lines('Storage', storageLines(newest))
    this.#lines('Servers', serverLines(newest))
  }

  async #onExamine(): Promise<void> {
    if (this.#examination !== null) {
      this.#examination.abort()
      return
    }
    const examination = new AbortController()
    this.#examination = examination
    this.#examine.textContent = 'Stop checking'
    showText(this.#doctorSaid, 'Checking: every page of the room tries its connections.')
    try {
      const { findings, reports } = await this.#room.examine({
        signal: examination.signal,
        onProgress: (reported, asked) =>
          showText(this.#doctorSaid, `${reported} of ${asked} pages have answered.`),
      })
      this.#found = findings
      this.#list(this.#findings, findings)
      const pages = reports.length === 1 ? '1 page' : `${reports.length} pages`
      showText(this.#doctorSaid, `Checked: ${pages} answered.`)
    } catch {
      showText(this.#doctorSaid, 'The check was stopped.')
    } finally {
      this.#examination = null
      this.#examine.textContent = 'Check every connection'
    }
  }

  #report(): string {
    const report = { ...this.#newest, findings: this.#found }
    return JSON.stringify(report, null, 2)
  }

  #fullLabel(): HTMLLabelElement {
    this.#full.type = 'checkbox'
    this.#full.addEventListener('change', () => void this.#look())
    const label = make('label', '', 'check')
    label.append(this.#full, ' with full network addresses')
    return label
  }

  #detail(name: string): HTMLDetailsElement {
    const details = make('details', '')
    const list = make('ul', '')
    details.append(make('summary', name), list)
    this.#details.set(name, list)
    return details
  }

  #lines(name: string, lines: readonly string[]): void {
    const list = this.#details.get(name)
    if (list === undefined) return
    // In place: a line that is being read or selected stays the same element.
    while (list.children.length > lines.length) list.lastElementChild?.remove()
    while (list.children.length < lines.length) list.append(make('li', ''))
    for (const [index, line] of lines.entries()) {
      const item = list.children[index]
      if (item !== undefined) showText(item, line)
    }
  }

  #list(list: HTMLElement, said: readonly Said[]): void {
    const key = JSON.stringify(said)
    if (this.#shown.get(list) === key) return
    this.#shown.set(list, key)
    list.replaceChildren(
      ...said.map(({ code, severity, text, help }) => {
        const item = make('li', '')
        item.dataset['severity'] = severity
        item.dataset['code'] = code
        item.append(make('span', `${SEVERITY_WORDS[severity]}: `, 'visually-hidden'), text)
        if (help !== null) item.append(make('span', ` ${help}`, 'help'))
        return item
      }),
    )
  }
}
