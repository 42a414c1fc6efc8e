/** Tells a doctor's message from others, without the doctor: pages load it when it is needed. */

/**
 * "ZDR1". As the length that a founding record begins with it would be over a gigabyte, and no
 * JSON begins with it: the page's other messages are never mistaken for one of these.
 */
export const MARK: readonly number[] = [0x5a, 0x44, 0x52, 0x31]

export function isDoctorMessage(bytes: Uint8Array): boolean {
  return bytes.length > MARK.length && MARK.every((byte, index) => bytes[index] === byte)
}
