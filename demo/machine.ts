/** One machine: its member, its terminal and what it shows of the ensemble. */
import type { WorkerStatus } from '../worker/protocol.ts'
import { requestPersistence } from '../src/adapters/tabs/persistence.ts'
import { MemberTab } from '../src/browser/member-tab.ts'
import type { Shell } from '../src/cli/shell.ts'
import { ZooKeeperClient } from '../src/client/zookeeper-client.ts'
import type { RoomLink } from '../src/signaling/room-link.ts'
import { formatRoomLink, isWeakSecret, parseRoomLink } from '../src/signaling/room-link.ts'
import { SIGNAL_PATH } from '../src/signaling/protocol.ts'
import { EnsemblePanel } from './ensemble-panel.ts'
import { element } from './page-elements.ts'
import { startShell } from './page-shell.ts'
import { statusLine, storageText, titleOf } from './status-text.ts'
import { TerminalView } from './terminal-view.ts'

/** Kept for the console and the tests; older ones go. */
const TRACES_MAX = 2_000

const problem = element('problem', HTMLElement)
const statusElement = element('status', HTMLElement)
const crashButton = element('crash', HTMLButtonElement)
const restartButton = element('restart', HTMLButtonElement)
const terminal = new TerminalView({
  log: element('log', HTMLElement),
  form: element('prompt-form', HTMLFormElement),
  prompt: element('prompt', HTMLElement),
  input: element('command', HTMLInputElement),
})
const panel = new EnsemblePanel()
const traces: unknown[] = []
let shell: Shell | null = null
let tab: MemberTab | null = null
let hasEnded = false

restartButton.addEventListener('click', () => location.reload())
// A page with connections never comes back from the back/forward cache whole: start afresh.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload()
})
addEventListener('hashchange', () => {
  // Our own rewriting of the address fires no hashchange; this is another link typed over it.
  location.reload()
})
start().catch((error: unknown) => ended(error instanceof Error ? error.message : String(error)))

async function start(): Promise<void> {
  const link = parseRoomLink(location.href)
  element('room-name', HTMLElement).textContent = link.room
  if (isWeakSecret(link.secret)) {
    say('The secret in this link is short enough to be guessed: use it for trying things only.')
  }
  const state = history.state as { readonly incarnation?: unknown } | null
  const previous = typeof state?.incarnation === 'string' ? state.incarnation : null
  const opened = await MemberTab.open({
    link,
    signalUrl: signalUrl(),
    createWorker: () =>
      new Worker(new URL('../worker/member.worker.ts', import.meta.url), {
        type: 'module',
        name: 'zabra member',
      }),
    previousIncarnation: previous,
    onStatus: (status) => show(link, status),
    onTrace: (event, atMs) => {
      traces.push({ at: Math.round(atMs), ...event })
      if (traces.length > TRACES_MAX) traces.shift()
    },
    onSignaling: (signaling) => panel.showSignaling(signaling),
    onFailed: (reason) => ended(reason),
  })
  tab = opened
  history.replaceState({ incarnation: opened.incarnation }, '')
  window.zabra = {
    status: () => opened.status,
    traces,
    newClient: (sessionTimeoutMs = 10_000) =>
      new ZooKeeperClient({ transport: opened.transport(), sessionTimeoutMs }),
  }
  crashButton.addEventListener('click', () => crash(opened))
  shell = startShell(opened, terminal, new URLSearchParams(location.search))
  terminal.attach(shell)
  element('storage', HTMLElement).textContent = storageText(await requestPersistence())
}

function show(link: RoomLink, status: WorkerStatus): void {
  if (hasEnded) return
  document.title = `${titleOf(status)} · ${link.room} · zabra`
  element('title', HTMLElement).textContent = titleOf(status)
  const role = status.member?.role ?? (status.phase === 'client' ? 'client' : 'looking')
  const badge = element('badge', HTMLElement)
  badge.textContent = role
  badge.dataset['role'] = role
  const text = statusLine(status)
  // A live region speaks on every change of its text, so it is only touched when that changes.
  if (statusElement.textContent !== text) statusElement.textContent = text
  if (status.phase === 'failed') say(status.text)
  terminal.refreshPrompt()
  const complete = { ...link, creator: status.creator, cluster: status.cluster }
  const address = formatRoomLink(new URL(location.pathname, location.href), complete)
  panel.show(status, address)
  rewriteAddress(complete)
}

/** What people copy from the address bar then names the ensemble (design §4). */
function rewriteAddress(link: RoomLink): void {
  if (link.creator === null || link.cluster === null) return
  const url = new URL(location.href)
  url.hash = `${link.secret}.${link.creator}.${link.cluster}`
  if (url.href !== location.href) history.replaceState(history.state, '', url)
}

function crash(opened: MemberTab): void {
  opened.crash()
  ended('This machine has crashed. Its data is on this device; start it again to bring it back.')
}

function ended(reason: string): void {
  if (hasEnded) return
  hasEnded = true
  tab?.crash()
  document.body.classList.add('ended')
  statusElement.textContent = `looking, epoch 0, zxid 0x0: this machine does not run`
  element('badge', HTMLElement).textContent = 'stopped'
  say(reason)
  terminal.close(reason)
  crashButton.hidden = true
  restartButton.hidden = false
  restartButton.focus()
}

function say(text: string): void {
  problem.textContent = text
  problem.hidden = false
}

function signalUrl(): string {
  const asked = new URLSearchParams(location.search).get('signal')
  const url = new URL(asked ?? SIGNAL_PATH, location.href)
  if (asked === null) url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:'
  url.search = ''
  url.hash = ''
  return url.href
}
