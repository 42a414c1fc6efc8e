/**
 * Where a page's STUN and TURN servers come from. The nearest wins: the link (`?ice=`), this
 * browser's own settings, the server's file (`npm start -- --ice`). What the link brought is kept
 * for the tab and taken out of the address bar, so that nobody passes on a credential unasked.
 */
import {
  hasCredentials,
  ICE_FILE,
  NO_ICE_SETTINGS,
  parseIceSettings,
  parseIceText,
  type IceSettings,
} from '../src/adapters/webrtc/ice-settings.ts'
import { messageOf } from '../src/core/base/message-of.ts'

export const ICE_PARAMETER = 'ice'
const KEY = 'zabra-ice'
/** The file lies on the server that served this page a moment ago. */
const FETCH_LIMIT_MS = 3_000

export interface IceSource {
  readonly settings: IceSettings
  readonly from: 'link' | 'browser' | 'server' | 'nowhere'
  /** What was wrong with settings that were not taken. */
  readonly problem: string | null
}

export async function loadIceSettings(): Promise<IceSource> {
  const problems: string[] = []
  const inLink = takeFromLink()
  const inTab = inLink ?? readStore(() => sessionStorage)
  const candidates = [
    { from: 'link', text: inTab },
    { from: 'browser', text: ownIceText() },
  ] as const
  for (const { from, text } of candidates) {
    if (text === null) continue
    try {
      return { settings: parseIceText(text), from, problem: null }
    } catch (error) {
      const where = from === 'link' ? 'in the link' : 'kept in this browser'
      problems.push(`The ICE settings ${where} are not used. ${messageOf(error)}`)
      if (from === 'link') forgetTab()
    }
  }
  try {
    const settings = await fetchSettings()
    const from = settings.iceServers.length > 0 ? 'server' : 'nowhere'
    return { settings, from, problem: problems[0] ?? null }
  } catch (error) {
    problems.push(`The ICE settings of the server are not used. ${messageOf(error)}`)
    return { settings: NO_ICE_SETTINGS, from: 'nowhere', problem: problems[0] ?? null }
  }
}

/** As typed; null when nothing is kept. */
export function ownIceText(): string | null {
  return readStore(() => localStorage)
}

/** null forgets them. false: this browser keeps nothing for this page. */
export function keepOwnIceText(text: string | null): boolean {
  try {
    sessionStorage.removeItem(KEY)
    if (text === null) localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, text)
    return true
  } catch {
    return false
  }
}

/** The link of the room with these settings in it, for people who asked for that. */
export function linkWithIce(link: string, settings: IceSettings): string {
  const url = new URL(link)
  url.searchParams.set(ICE_PARAMETER, JSON.stringify(settings))
  return url.href
}

function takeFromLink(): string | null {
  const url = new URL(location.href)
  const text = url.searchParams.get(ICE_PARAMETER)
  if (text === null) return null
  if (!isSecret(text)) return text
  try {
    sessionStorage.setItem(KEY, text)
  } catch {
    // Then a reload lacks them; better than a credential that stays in sight.
  }
  url.searchParams.delete(ICE_PARAMETER)
  history.replaceState(history.state, '', url)
  return text
}

/** What is wrong is told once, not at every reload. */
function forgetTab(): void {
  try {
    sessionStorage.removeItem(KEY)
  } catch {
    // Withheld storage holds nothing.
  }
}

/** What cannot be read may hold anything. */
function isSecret(text: string): boolean {
  try {
    return hasCredentials(parseIceText(text))
  } catch {
    return true
  }
}

async function fetchSettings(): Promise<IceSettings> {
  let response: Response
  try {
    response = await fetch(new URL(ICE_FILE, location.href), {
      cache: 'no-store',
      signal: AbortSignal.timeout(FETCH_LIMIT_MS),
    })
  } catch {
    // Another kind of server, or none any more: there are no settings then.
    return NO_ICE_SETTINGS
  }
  const isJson = response.headers.get('content-type')?.includes('json') === true
  return response.ok && isJson ? parseIceSettings(await response.json()) : NO_ICE_SETTINGS
}

/** Storage may be withheld: reading it throws then. */
function readStore(store: () => globalThis.Storage): string | null {
  try {
    return store().getItem(KEY)
  } catch {
    return null
  }
}
