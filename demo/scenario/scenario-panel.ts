/** The scenario's card on the page of a machine: buttons, pace, and the steps of this machine. */
import { formatSessionId } from '../../src/core/base/zxid.ts'
import { make } from '../page-elements.ts'
import { machineOfSession } from '../session-fates.ts'
import { partOf, type Place, type Role } from './casting.ts'
import { PAUSE_DEFAULT_MS, PAUSE_MAX_MS } from './pace.ts'
import type { ScenarioState, ScenarioView, Step } from './scenario-view.ts'
import './scenario.css'

/** Steps kept in the list; older ones go. */
const STEPS_MAX = 300
/** At full speed steps come faster than anybody can listen: spoken at most this often. */
const SPOKEN_EVERY_MS = 1_500
const PACE_STEP_MS = 100

export interface ScenarioButtons {
  readonly onRun: () => void
  readonly onStop: () => void
  readonly onPause: (pauseMs: number) => void
}

export class ScenarioPanel implements ScenarioView {
  readonly #run = button('Run the scenario', 'primary')
  readonly #stop = button('Stop and clean up')
  readonly #part = make('p', 'Needs the ensemble: open the machines first.', 'note')
  readonly #stateText = make('p', '', 'scenario-state')
  readonly #said = make('p', '', 'problem')
  readonly #steps = make('ol', '', 'steps')
  readonly #spoken = make('p', '', 'visually-hidden')
  readonly #slider = make('input', '')
  readonly #pauseText = make('output', '')
  /** The step that each role is at. */
  readonly #current = new Map<Role, HTMLElement>()
  #speakTimer: ReturnType<typeof setTimeout> | null = null
  #toSpeak = ''
  #isOver = false

  constructor(card: HTMLElement) {
    const title = make('h2', 'Scenario: master, backup, worker, client')
    title.id = 'scenario-title'
    card.setAttribute('aria-labelledby', title.id)
    for (const live of [this.#stateText, this.#said, this.#spoken]) {
      live.setAttribute('role', 'status')
    }
    this.#said.hidden = true
    this.#steps.hidden = true
    this.#steps.tabIndex = 0
    this.#steps.setAttribute('aria-label', 'steps of this machine')
    this.#run.disabled = true
    this.#stop.hidden = true
    const row = make('div', '', 'row')
    row.append(this.#run, this.#stop)
    const state = [this.#stateText, this.#said]
    card.replaceChildren(title, this.#part, row, this.#paceRow(), ...state, this.#steps)
    card.append(this.#spoken, whatHappens())
  }

  wire(buttons: ScenarioButtons): void {
    this.#run.addEventListener('click', buttons.onRun)
    this.#stop.addEventListener('click', buttons.onStop)
    this.#slider.addEventListener('input', () => this.pace(this.#slider.valueAsNumber))
    this.#slider.addEventListener('change', () => buttons.onPause(this.#slider.valueAsNumber))
  }

  showPlace(place: Place): void {
    this.#part.textContent = `${partOf(place)} One press starts it in all tabs.`
  }

  state(state: ScenarioState): void {
    if (this.#isOver) return
    const { kind } = state
    this.#run.disabled = kind === 'connecting' || kind === 'stopping'
    this.#run.textContent =
      kind === 'running' || kind === 'finished' ? 'Run again' : 'Run the scenario'
    const canStop = kind === 'running' || kind === 'finished'
    // A button that goes must not take the keyboard's place with it.
    if (!canStop && document.activeElement === this.#stop) this.#steps.focus()
    this.#stop.hidden = !canStop
    setText(this.#stateText, textOf(state))
  }

  clear(): void {
    // What was said of the former run does not concern this one.
    this.say(null)
    this.#current.clear()
    this.#steps.replaceChildren()
    this.#steps.hidden = true
  }

  step(step: Step): void {
    this.#leave(step.role)
    const { role, text, path } = step
    const item = make('li', '')
    item.setAttribute('aria-current', 'step')
    const head = make('div', '')
    head.append(time(), ' ', make('strong', role), ` ${text}`)
    const session = formatSessionId(step.sessionId)
    const where = make('div', '', 'where')
    if (path !== null) where.append(make('code', path), ' · ')
    const id = make('span', `${session} (machine ${machineOfSession(session)})`)
    id.title = 'the session of this tab, and the server that made it'
    where.append(make('span', 'session ', 'visually-hidden'), id)
    item.append(head, where)
    const follows = this.#isAtEnd()
    this.#steps.hidden = false
    this.#steps.append(item)
    while (this.#steps.childElementCount > STEPS_MAX) this.#steps.firstElementChild?.remove()
    if (follows) this.#steps.scrollTop = this.#steps.scrollHeight
    this.#current.set(role, item)
    this.#speak(`${role} ${text}`)
  }

  outcome(role: Role, text: string): void {
    const follows = this.#isAtEnd()
    this.#current.get(role)?.append(make('div', text, 'outcome'))
    if (follows) this.#steps.scrollTop = this.#steps.scrollHeight
    this.#speak(`${role}: ${text}`)
  }

  say(text: string | null): void {
    this.#said.hidden = text === null
    setText(this.#said, text ?? '')
  }

  pace(pauseMs: number): void {
    this.#slider.value = String(pauseMs)
    const text = pauseMs === 0 ? 'none' : `${(pauseMs / 1000).toFixed(1)} s`
    setText(this.#pauseText, text)
    this.#slider.setAttribute('aria-valuetext', text)
  }

  /** The machine of this page is gone. */
  over(): void {
    this.#isOver = true
    for (const role of [...this.#current.keys()]) this.#leave(role)
    this.#run.disabled = true
    this.#stop.hidden = true
    this.#slider.disabled = true
    setText(this.#stateText, 'This machine does not run; the others play on.')
  }

  #leave(role: Role): void {
    this.#current.get(role)?.removeAttribute('aria-current')
    this.#current.delete(role)
  }

  #isAtEnd(): boolean {
    const { scrollHeight, scrollTop, clientHeight } = this.#steps
    return scrollHeight - scrollTop - clientHeight < 48
  }

  #speak(text: string): void {
    this.#toSpeak = text
    this.#speakTimer ??= setTimeout(() => {
      this.#speakTimer = null
      setText(this.#spoken, this.#toSpeak)
    }, SPOKEN_EVERY_MS)
  }

  #paceRow(): HTMLElement {
    const label = make('label', 'Pause')
    this.#slider.type = 'range'
    this.#slider.min = '0'
    this.#slider.max = String(PAUSE_MAX_MS)
    this.#slider.step = String(PACE_STEP_MS)
    label.append(make('span', ' between steps', 'visually-hidden'))
    label.htmlFor = this.#slider.id = 'scenario-pause'
    const row = make('div', '', 'pace')
    row.append(label, this.#slider, this.#pauseText)
    this.pace(PAUSE_DEFAULT_MS)
    return row
  }
}

function textOf(state: ScenarioState): string {
  switch (state.kind) {
    case 'connecting':
      return 'Waits for a session with the ensemble.'
    case 'idle':
      return ''
    case 'running':
      return 'It plays. Close or crash the master’s tab at any moment: the end is the same.'
    case 'finished':
      return `The end: the client has seen it. ${state.text}`
    case 'stopping':
      return state.again ? 'Clears the stage and begins again.' : 'Stops and cleans up.'
  }
}

function whatHappens(): HTMLElement {
  const details = make('details', '')
  details.append(make('summary', 'What happens here'))
  const list = make('ul', '')
  for (const text of [
    'Each tab runs its part as a program on the client library, with a session of its own.',
    'Machine 1 becomes the master by creating the ephemeral /master; machine 2 watches it and ' +
      'takes over when it goes. A master that comes back stands by and works.',
    'Machine 3 registers under /workers, submits a task under /tasks and waits for its status. ' +
      'The master hands it out under /assign; what a dead worker had goes to another.',
    'A task may be executed twice, when a worker dies after the work and before it said so. Its ' +
      'status is written once.',
    'Cleaning up removes /workers, /tasks, /assign and /scenario with all that is in them.',
  ]) {
    list.append(make('li', text))
  }
  details.append(list)
  return details
}

function button(text: string, className?: string): HTMLButtonElement {
  const made = make('button', text, className)
  made.type = 'button'
  return made
}

function time(): HTMLElement {
  const now = new Date()
  const made = make('time', now.toLocaleTimeString([], { hour12: false }))
  made.dateTime = now.toISOString()
  return made
}

/** A live region speaks whenever its text is set. */
function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text
}
