/** One machine: its member, its terminal and what it shows of the ensemble. */
import { messageOf } from '../src/core/base/message-of.ts'
import type { WorkerStatus } from '../worker/protocol.ts'
import { requestPersistence, type StoragePersistence } from '../src/adapters/tabs/persistence.ts'
import { SIGNAL_PARAMETER } from '../src/browser/room-address.ts'
import type { Room } from '../src/browser/room.ts'
import type { Shell } from '../src/cli/shell.ts'
import { ZooKeeperClient } from '../src/client/zookeeper-client.ts'
import { joinRoom } from '../src/index.ts'
import type { RoomLink } from '../src/signaling/room-link.ts'
import { formatRoomLink, isWeakSecret, parseRoomLink } from '../src/signaling/room-link.ts'
import { AlarmBanner } from './alarm-banner.ts'
import { EnsemblePanel } from './ensemble-panel.ts'
import { offerFlightRecording } from './flight-button.ts'
import { loadIceSettings } from './ice-source.ts'
import { NewEnsemble } from './new-ensemble.ts'
import { element, showText } from './page-elements.ts'
import { startShell } from './page-shell.ts'
import { PageScenario } from './scenario/page-scenario.ts'
import { SharePart } from './share/share-part.ts'
import { statusLine, storageText, titleOf } from './status-text.ts'
import { TerminalView } from './terminal-view.ts'
import { WhyPanel } from './why-panel.ts'

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
const share = new SharePart(element('share', HTMLElement))
const alarm = new AlarmBanner()
const newEnsemble = new NewEnsemble(element('new-ensemble', HTMLElement))
const scenario = new PageScenario(element('scenario', HTMLElement))
const traces: unknown[] = []
let shell: Shell | null = null
let room: Room | null = null
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
start().catch((error: unknown) => ended(messageOf(error)))

async function start(): Promise<void> {
  const link = parseRoomLink(location.href)
  element('room-name', HTMLElement).textContent = link.room
  if (isWeakSecret(link.secret)) {
    say('The secret in this link is short enough to be guessed: use it for trying things only.')
  }
  const signaling = new URLSearchParams(location.search).get(SIGNAL_PARAMETER)
  const ice = await loadIceSettings()
  const joined = await joinRoom({
    ...ice.settings,
    ...(signaling === null ? {} : { signaling }),
    // The terminal's session expires when its tab goes, as the seed shows.
    closeSessionsOnLeave: false,
    onStatus: (status) => show(link, status),
    onTrace: (event, atMs) => {
      traces.push({ at: Math.round(atMs), ...event })
      if (traces.length > TRACES_MAX) traces.shift()
    },
    onSignaling: (state) => panel.showSignaling(state),
  })
  room = joined
  joined.ended.addEventListener('abort', () => ended(messageOf(joined.ended.reason)))
  window.zabra = {
    status: () => joined.status,
    traces,
    joinAsClient: () => joinRoom({ role: 'client', link: joined.link }),
    flightRecording: (payloads = false) => joined.flightRecording({ payloads }),
    newClient: (sessionTimeoutMs = 10_000) =>
      new ZooKeeperClient({ transport: joined.transport(), sessionTimeoutMs }),
    explain: (options) => joined.explain(options),
    examine: (options) => joined.examine(options),
  }
  new WhyPanel(element('why', HTMLElement), joined, ice)
  crashButton.addEventListener('click', () => crash(joined))
  offerFlightRecording(joined)
  shell = startShell(joined, terminal, new URLSearchParams(location.search))
  terminal.attach(shell)
  newEnsemble.start(joined)
  scenario.start(joined)
  showStorage(await requestPersistence(showStorage))
}

function showStorage(persistence: StoragePersistence): void {
  element('storage', HTMLElement).textContent = storageText(persistence)
}

function show(link: RoomLink, status: WorkerStatus): void {
  if (hasEnded) return
  const title = `${titleOf(status)} · ${link.room} · zabra`
  if (document.title !== title) document.title = title
  showText(element('title', HTMLElement), titleOf(status))
  const role = status.member?.role ?? (status.phase === 'client' ? 'client' : 'looking')
  const badge = element('badge', HTMLElement)
  showText(badge, role)
  badge.dataset['role'] = role
  showText(statusElement, statusLine(status))
  if (status.phase === 'failed') say(status.text)
  terminal.refreshPrompt()
  const complete = { ...link, creator: status.creator, cluster: status.cluster }
  const address = addressOf(complete)
  panel.show(status, address)
  share.show(address)
  alarm.show(status.member?.alarm ?? null)
  newEnsemble.onStatus(status)
  scenario.onStatus(status)
}

/** Whoever is invited must meet us at the same signaling server. */
function addressOf(link: RoomLink): string {
  const address = new URL(formatRoomLink(new URL(location.pathname, location.href), link))
  const signaling = new URLSearchParams(location.search).get(SIGNAL_PARAMETER)
  if (signaling !== null) address.searchParams.set(SIGNAL_PARAMETER, signaling)
  return address.href
}

function crash(joined: Room): void {
  ended('This machine has crashed. Its data is on this device; start it again to bring it back.')
  joined.crash()
}

function ended(reason: string): void {
  if (hasEnded) return
  hasEnded = true
  room?.crash()
  newEnsemble.end()
  scenario.end()
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
