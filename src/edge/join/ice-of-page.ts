/** STUN and TURN servers of a machine on Node: as asked for, else as its pages' server says. */
import { readFile } from 'node:fs/promises'
import {
  ICE_FILE,
  NO_ICE_SETTINGS,
  parseIceSettings,
  parseIceText,
  type IceSettings,
} from '../../adapters/webrtc/ice-settings.ts'
import { messageOf } from '../../core/base/message-of.ts'
import { JoinError } from './join-error.ts'

/** The file lies beside the pages; without an answer there are no settings. */
const FETCH_LIMIT_MS = 3_000

/** A file's name, JSON or an address of one server. Rejects with JoinError. */
export async function askedIce(value: string): Promise<IceSettings> {
  const isText = /^\s*[[{]|^(stun|turn)s?:/i.test(value)
  try {
    return parseIceText(isText ? value : await readFile(value, 'utf8'))
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    const why = isMissing ? 'there is no such file' : messageOf(cause)
    throw new JoinError(`--ice ${isText ? '' : `${value}: `}${why}`, { cause })
  }
}

/** Never rejects: another kind of server has no such file. */
export async function iceOfPage(page: URL): Promise<IceSettings> {
  try {
    const response = await fetch(new URL(ICE_FILE, page), {
      signal: AbortSignal.timeout(FETCH_LIMIT_MS),
    })
    const isJson = response.headers.get('content-type')?.includes('json') === true
    return response.ok && isJson ? parseIceSettings(await response.json()) : NO_ICE_SETTINGS
  } catch {
    return NO_ICE_SETTINGS
  }
}
