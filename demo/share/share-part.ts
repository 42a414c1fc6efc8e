/** Passing a room's link on: copy, the system's share sheet, and a QR code for phones. */
import { copyButton } from '../copy-button.ts'
import { make } from '../page-elements.ts'
import { whyNoQr } from './qr-rules.ts'
import './share.css'

export interface SharePartOptions {
  /** Marked when the clipboard refuses. */
  readonly shown?: HTMLElement
  /** Show the QR code at once and not on demand. */
  readonly isQrOpen?: boolean
}

export class SharePart {
  readonly #said = make('span', '')
  readonly #details = make('details', '', 'qr')
  readonly #hasQr: boolean
  #link = ''
  #drawn = ''

  constructor(home: HTMLElement, options: SharePartOptions = {}) {
    const why = whyNoQr(location)
    this.#hasQr = why === null
    this.#said.setAttribute('role', 'status')
    const copy = make('button', 'Copy the link')
    copy.type = 'button'
    copyButton(copy, this.#said, () => this.#link, options.shown)
    const row = make('div', '', 'row')
    row.append(copy, ...this.#shareButton(), this.#said)
    home.replaceChildren(row)
    if (why !== null) home.append(make('p', why, 'note'))
    else {
      this.#details.append(make('summary', 'QR code for a phone'))
      this.#details.open = options.isQrOpen ?? false
      this.#details.addEventListener('toggle', () => this.#draw())
      home.append(this.#details)
    }
  }

  show(link: string): void {
    if (this.#link === link) return
    this.#link = link
    this.#draw()
  }

  #draw(): void {
    const link = this.#link
    if (!this.#hasQr || !this.#details.open || link === '' || this.#drawn === link) return
    this.#drawn = link
    this.#drawQr(link).catch(() => {
      this.#drawn = ''
      this.#said.textContent = 'The QR code did not load. Copy the link instead.'
    })
  }

  /** Loaded when it is wanted: most pages never show one. */
  async #drawQr(link: string): Promise<void> {
    const { qrPicture } = await import('./qr-picture.ts')
    // Another link may have come meanwhile.
    if (this.#drawn !== link) return
    this.#details.querySelector('svg')?.remove()
    this.#details.append(qrPicture(link))
  }

  /** Phones have it; few desktops do. */
  #shareButton(): HTMLElement[] {
    if (!('share' in navigator)) return []
    const button = make('button', 'Share…')
    button.type = 'button'
    button.addEventListener('click', () => {
      navigator.share({ title: 'A room of zabra', url: this.#link }).catch((error: unknown) => {
        const isClosed = error instanceof DOMException && error.name === 'AbortError'
        if (!isClosed) this.#said.textContent = 'Sharing was refused. Copy the link instead.'
      })
    })
    return [button]
  }
}
