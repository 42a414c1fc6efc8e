/** `get -x`: the table that Netty's prettyHexDump prints. */

const COLUMNS = 16
const RULE = `+${'-'.repeat(49)}+`
const HEAD = [
  `         ${RULE}`,
  '         |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |',
  `+--------${RULE}${'-'.repeat(COLUMNS)}+`,
]

export function hexDump(bytes: Uint8Array): string[] {
  if (bytes.length === 0) return ['']
  const lines = [...HEAD]
  for (let at = 0; at < bytes.length; at += COLUMNS) {
    const row = [...bytes.subarray(at, at + COLUMNS)]
    const hex = row.map((byte) => ` ${byte.toString(16).padStart(2, '0')}`).join('')
    const text = row.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : '.'))
    const offset = at.toString(16).padStart(8, '0')
    lines.push(`|${offset}|${hex.padEnd(48)} |${text.join('').padEnd(COLUMNS)}|`)
  }
  lines.push(HEAD[2] ?? '')
  return lines
}
