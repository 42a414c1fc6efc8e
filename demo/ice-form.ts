/** STUN and TURN servers of this browser: what is in use, and a small form to name others. */
import {
  hasCredentials,
  iceAddresses,
  parseIceText,
  type IceSettings,
} from '../src/adapters/webrtc/ice-settings.ts'
import { messageOf } from '../src/core/base/message-of.ts'
import { copyButton } from './copy-button.ts'
import { keepOwnIceText, linkWithIce, ownIceText, type IceSource } from './ice-source.ts'
import { make } from './page-elements.ts'

const FROM = {
  link: 'from the link',
  browser: 'kept in this browser',
  server: 'from the server of this page',
  nowhere: '',
} as const

const EXAMPLE = 'turn:turn.example.org:3478, or JSON with "urls", "username", "credential"'

export class IceForm {
  readonly element: HTMLDetailsElement = make('details', '')
  readonly #text = make('textarea', '')
  readonly #relay = make('input', '')
  readonly #username = make('input', '')
  readonly #credential = make('input', '')
  readonly #said = make('p', '', 'note')

  constructor(source: IceSource, roomLink: () => string) {
    this.#said.setAttribute('role', 'status')
    this.#relay.type = 'checkbox'
    this.#credential.type = 'password'
    this.#credential.autocomplete = 'off'
    this.#username.autocomplete = 'off'
    this.#text.rows = 3
    this.#text.spellcheck = false
    this.#text.placeholder = EXAMPLE
    this.#text.value = ownIceText() ?? ''
    const relay = make('label', '', 'check')
    relay.append(this.#relay, ' only by TURN, to test it')
    const form = make('form', '')
    form.autocomplete = 'off'
    form.append(
      field('Servers', this.#text),
      field('Username', this.#username),
      field('Credential', this.#credential),
      relay,
      this.#buttons(source.settings, roomLink),
      this.#said,
    )
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      this.#keep()
    })
    this.element.append(make('summary', 'STUN and TURN servers'), inUse(source), form)
    if (source.problem !== null) {
      this.#said.textContent = source.problem
      this.element.open = true
    }
  }

  #buttons(inUseNow: IceSettings, roomLink: () => string): HTMLElement {
    const keep = make('button', 'Keep in this browser and reload')
    keep.type = 'submit'
    const forget = make('button', 'Forget them and reload')
    forget.type = 'button'
    forget.addEventListener('click', () => this.#store(null))
    const row = make('div', '', 'row')
    row.append(keep, forget)
    if (iceAddresses(inUseNow).length === 0) return row
    const copy = make('button', 'Copy the link with these servers')
    copy.type = 'button'
    copyButton(copy, this.#said, () => linkWithIce(roomLink(), inUseNow))
    row.append(copy)
    if (hasCredentials(inUseNow)) {
      const warning =
        'That link holds username and credential; whoever gets it, and the server of this ' +
        'page, sees them. The ordinary link never does.'
      row.append(make('p', warning, 'note'))
    }
    return row
  }

  #keep(): void {
    try {
      const settings = this.#settings()
      this.#store(settings === null ? null : JSON.stringify(settings))
    } catch (error) {
      this.#said.textContent = messageOf(error)
    }
  }

  /** Username and credential beside plain addresses; JSON brings its own. Throws a sentence. */
  #settings(): IceSettings | null {
    const text = this.#text.value.trim()
    if (text === '') return null
    const policy = this.#relay.checked ? 'relay' : 'all'
    const [username, credential] = [this.#username.value, this.#credential.value]
    if (/^[[{]/.test(text)) {
      const given = parseIceText(text)
      return policy === 'all' ? given : parseIceText(JSON.stringify({ ...given, ...relayOnly }))
    }
    const urls = text.split(/[\s,]+/)
    const turn = urls.filter((url) => /^turns?:/i.test(url))
    const others = urls.filter((url) => !turn.includes(url))
    const iceServers = [
      ...(turn.length === 0 ? [] : [{ urls: turn, username, credential }]),
      ...(others.length === 0 ? [] : [{ urls: others }]),
    ]
    return parseIceText(JSON.stringify({ iceServers, iceTransportPolicy: policy }))
  }

  #store(text: string | null): void {
    if (keepOwnIceText(text)) location.reload()
    else this.#said.textContent = 'This browser keeps nothing for this page.'
  }
}

const relayOnly = { iceTransportPolicy: 'relay' } as const

function inUse({ settings, from }: IceSource): HTMLElement {
  const addresses = iceAddresses(settings)
  const text =
    addresses.length === 0
      ? 'None in use: within one network none is needed. A TURN server helps pages that cannot ' +
        'reach each other.'
      : `In use, ${FROM[from]}: ${addresses.join(', ')}` +
        (settings.iceTransportPolicy === 'relay' ? ', and nothing else.' : '.')
  return make('p', text, 'note')
}

function field(name: string, input: HTMLElement): HTMLLabelElement {
  const label = make('label', name, 'field')
  label.append(input)
  return label
}
