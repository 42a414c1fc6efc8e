/** The home page: makes a room and opens its machines. */
import { messageOf } from '../src/core/base/message-of.ts'
import { createRoom } from '../src/index.ts'
import { element, openMachineLink } from './page-elements.ts'
import { SharePart } from './share/share-part.ts'

const NAMES = ['okapi', 'quagga', 'kudu', 'eland', 'gerenuk', 'bongo', 'nyala', 'topi', 'oribi']

const problem = element('problem', HTMLElement)
const form = element('make', HTMLFormElement)
const nameInput = element('room-name', HTMLInputElement)
const sizeInput = element('room-size', HTMLSelectElement)
const room = element('room', HTMLElement)
const linkBox = element('link', HTMLElement)

nameInput.value = `${NAMES[Math.floor(Math.random() * NAMES.length)] ?? 'zebra'}-${shortNumber()}`
const share = new SharePart(element('share', HTMLElement), { shown: linkBox, isQrOpen: true })
if (!isSecureContext) {
  say(
    'This address is not secure, so the browser withholds keys, locks and lasting storage. ' +
      'Open it as localhost, or start the server with npm start -- --tls.',
  )
}

form.addEventListener('submit', (event) => {
  event.preventDefault()
  makeRoom().catch((error: unknown) => say(messageOf(error)))
})

async function makeRoom(): Promise<void> {
  problem.hidden = true
  const size = Number(sizeInput.value)
  const page = new URL('machine.html', location.href)
  showRoom(await createRoom({ name: nameInput.value.trim(), size, page }), size)
}

function showRoom(link: string, size: number): void {
  const machines = element('machines', HTMLElement)
  const links = Array.from({ length: size }, (_, index) =>
    openMachineLink(link, `Open machine ${index + 1}`, index === 0),
  )
  machines.replaceChildren(...links)
  linkBox.textContent = link
  share.show(link)
  room.hidden = false
  links[0]?.focus()
}

function say(text: string): void {
  problem.textContent = text
  problem.hidden = false
}

function shortNumber(): number {
  return 100 + Math.floor(Math.random() * 900)
}
