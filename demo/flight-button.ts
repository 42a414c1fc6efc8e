/** The button that hands out what this machine's flight recorder holds. */
import type { Room } from '../src/browser/room.ts'
import { element } from './page-elements.ts'

/** Ours: the browser has begun to save by then. */
const URL_LIFE_MS = 60_000

export function offerFlightRecording(room: Room): void {
  const button = element('flight', HTMLButtonElement)
  const withData = element('flight-data', HTMLInputElement)
  const said = element('flight-said', HTMLElement)
  button.addEventListener('click', () => {
    button.disabled = true
    room
      .flightRecording({ payloads: withData.checked })
      .then(
        (file) => {
          said.textContent = file === null ? 'No machine ran in this tab yet.' : save(room, file)
        },
        (error: unknown) => {
          said.textContent = `The recording could not be made: ${String(error)}`
        },
      )
      .finally(() => {
        button.disabled = false
      })
  })
}

/** Returns what there is to say about it. */
function save(room: Room, file: Blob): string {
  const sid = room.status.sid ?? 0
  const name = `machine${sid}-${new Date().toISOString().replace(/[:.]/g, '-')}.zabra-flight`
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), URL_LIFE_MS)
  return `Saved ${name}, ${Math.ceil(file.size / 1000)} kB. Read it with npm run replay.`
}
