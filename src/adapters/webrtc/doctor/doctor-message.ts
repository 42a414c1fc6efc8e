/**
 * What doctors of two pages say to each other: one asks, the other examines its own links and
 * reports. By the link of the two where there is one, else sealed by the broker, which is why a
 * pair that cannot connect is told all the same. The sender may be anybody in the room: all is
 * checked, and nothing but a picture depends on it.
 */

import { decodeUtf8, encodeUtf8 } from '../../../core/base/utf8.ts'
import { isDoctorMessage, MARK } from './doctor-mark.ts'
import { parsePageReport, type PageReport } from './page-report.ts'

/** Sealed and in base64 it must pass the broker (32 KiB). */
export const DOCTOR_MESSAGE_MAX_BYTES: number = 15 * 1024
/** Nobody waits longer for a diagnosis, whatever is asked. */
export const EXAMINE_LIMIT_MAX_MS = 30_000

export type DoctorMessage =
  | { readonly kind: 'examine'; readonly id: number; readonly limitMs: number }
  | { readonly kind: 'report'; readonly id: number; readonly report: PageReport }

/** A report that is too long is told with fewer links, and says so. */
export function encodeDoctorMessage(message: DoctorMessage): Uint8Array {
  const bytes = encodeUtf8(JSON.stringify(message))
  const isTooLong = bytes.length > DOCTOR_MESSAGE_MAX_BYTES - MARK.length
  if (isTooLong && message.kind === 'report' && message.report.links.length > 0) {
    const { report } = message
    const links = report.links.slice(0, Math.floor(report.links.length / 2))
    return encodeDoctorMessage({ ...message, report: { ...report, links, isCut: true } })
  }
  const marked = new Uint8Array(MARK.length + bytes.length)
  marked.set(MARK)
  marked.set(bytes, MARK.length)
  return marked
}

/** null for anything else. */
export function decodeDoctorMessage(bytes: Uint8Array): DoctorMessage | null {
  if (!isDoctorMessage(bytes) || bytes.length > DOCTOR_MESSAGE_MAX_BYTES) return null
  let value: unknown
  try {
    value = JSON.parse(decodeUtf8(bytes.subarray(MARK.length)))
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  const { kind, id, limitMs, report } = value as { readonly [name: string]: unknown } & {
    readonly kind?: unknown
    readonly id?: unknown
    readonly limitMs?: unknown
    readonly report?: unknown
  }
  if (!isCount(id)) return null
  if (kind === 'examine') {
    return isCount(limitMs) ? { kind, id, limitMs: Math.min(limitMs, EXAMINE_LIMIT_MAX_MS) } : null
  }
  const parsed = kind === 'report' ? parsePageReport(report) : null
  return parsed === null ? null : { kind: 'report', id, report: parsed }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
