/** The alarm of a machine whose data was not what the ensemble's is; it stays until dismissed. */
import type { DivergenceAlarm } from '../src/core/server/divergence.ts'
import { element, showText } from './page-elements.ts'

export class AlarmBanner {
  readonly #banner = element('alarm', HTMLElement)
  readonly #text = element('alarm-text', HTMLElement)
  readonly #dismiss = element('alarm-dismiss', HTMLButtonElement)
  #shown: DivergenceAlarm | null = null
  /** Alarms up to this one were seen and put away. */
  #dismissed = 0

  constructor() {
    this.#dismiss.addEventListener('click', () => {
      this.#dismissed = this.#shown?.count ?? 0
      this.#banner.hidden = true
    })
  }

  /** null: none so far, or nobody to ask any more; what is shown stays. */
  show(alarm: DivergenceAlarm | null): void {
    if (alarm === null || alarm.count <= this.#dismissed) return
    const text = alarmText(alarm)
    this.#shown = alarm
    showText(this.#text, text)
    this.#dismiss.hidden = alarm.healedAtMs === null
    this.#banner.hidden = false
  }
}

export function alarmText(alarm: DivergenceAlarm): string {
  const { zxid, ownDigest, otherDigest, what, healedAtMs, count } = alarm
  const digests =
    otherDigest === null
      ? `digest ${ownDigest}`
      : `its digest ${ownDigest}, the other one ${otherDigest}`
  const times = count === 1 ? '' : ` This is alarm number ${count} of this tab.`
  const found = `The data of this machine is not right at zxid ${zxid}: ${what} (${digests}).`
  if (healedAtMs === null) {
    return `${found}${times} It is out of service and synchronises anew.`
  }
  const at = new Date(healedAtMs).toLocaleTimeString()
  return `${found}${times} It was out of service and synchronised anew at ${at}.`
}
