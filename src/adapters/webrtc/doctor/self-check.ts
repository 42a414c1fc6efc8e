/**
 * Asks the browser for candidates with nobody at the other end: does it give any, and does each
 * STUN and TURN server answer? Always settles, within the limit. `webRtc`: in Node.
 */

import type { IceSettings } from '../ice-settings.ts'
import { countOf, NO_CANDIDATES } from './ice-facts.ts'
import { IceWatch } from './ice-watch.ts'
import type { WebRtc } from '../rtc-peer.ts'
import type { GatherReport } from './page-report.ts'

/**
 * Host candidates come in some 10 ms, a server's in a few round trips. Chromium takes 10 s to call
 * a silent server silent, and says nothing at all of a closed TCP port.
 */
export const GATHER_LIMIT_MS = 4_000

const NOT_SUPPORTED: GatherReport = {
  isSupported: false,
  isComplete: true,
  counts: NO_CANDIDATES,
  errors: [],
}

export async function gatherAlone(
  settings: IceSettings,
  limitMs: number = GATHER_LIMIT_MS,
  signal?: AbortSignal,
  webRtc?: WebRtc,
): Promise<GatherReport> {
  let connection: RTCPeerConnection
  try {
    const { iceTransportPolicy } = settings
    connection = new (webRtc?.RTCPeerConnection ?? RTCPeerConnection)({
      iceServers: [...settings.iceServers],
      iceTransportPolicy,
    })
  } catch {
    // No WebRTC in this browser (or taken away by an extension), or no more connections.
    return NOT_SUPPORTED
  }
  const watch = new IceWatch(connection)
  try {
    connection.createDataChannel('check')
    await connection.setLocalDescription()
    const isComplete = await complete(connection, limitMs, signal)
    const { local, errors } = watch.facts()
    return { isSupported: true, isComplete, counts: local, errors }
  } catch {
    return { ...NOT_SUPPORTED, isSupported: true, isComplete: false }
  } finally {
    watch.end()
    connection.close()
  }
}

/** A browser that gave nothing is believed only when it said that this is all. */
export function gaveNothing(gather: GatherReport): boolean {
  return gather.isSupported && countOf(gather.counts) === 0
}

function complete(
  connection: RTCPeerConnection,
  limitMs: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (): void => {
      clearTimeout(timer)
      resolve(connection.iceGatheringState === 'complete')
    }
    const timer = setTimeout(settle, limitMs)
    signal?.addEventListener('abort', settle, { once: true })
    connection.addEventListener('icegatheringstatechange', () => {
      if (connection.iceGatheringState === 'complete') settle()
    })
    if (connection.iceGatheringState === 'complete' || signal?.aborted === true) settle()
  })
}
