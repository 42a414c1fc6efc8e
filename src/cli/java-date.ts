/** Java's Date text: `Thu May 09 20:11:06 CST 2019` (C9). */

/** Where Java's abbreviation is not made of the initials of the zone's English name. */
const ABBREVIATIONS: Readonly<Record<string, string>> = {
  'Central European Standard Time': 'CET',
  'Eastern European Standard Time': 'EET',
  'Western European Standard Time': 'WET',
  'Moscow Standard Time': 'MSK',
  'Hong Kong Standard Time': 'HKT',
  'Singapore Standard Time': 'SGT',
  'Brasilia Standard Time': 'BRT',
  'Brasilia Summer Time': 'BRST',
}

const DATE_MAX_MS = 8.64e15

export function javaDate(ms: number, timeZone: string | undefined): string {
  // Beyond it JavaScript has no date: a broken clock must not break the shell.
  if (Math.abs(ms) > DATE_MAX_MS) return String(ms)
  const parts = new Map(
    new Intl.DateTimeFormat('en-US', {
      weekday: 'short',
      month: 'short',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
      year: 'numeric',
      timeZone,
    })
      .formatToParts(ms)
      .map(({ type, value }) => [type, value]),
  )
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? ''
  const time = `${part('hour')}:${part('minute')}:${part('second')}`
  const day = `${part('weekday')} ${part('month')} ${part('day')}`
  return `${day} ${time} ${zoneAbbreviation(ms, timeZone)} ${part('year')}`
}

/** Intl has short names only of zones near the locale; the long English names say enough. */
function zoneAbbreviation(ms: number, timeZone: string | undefined): string {
  const short = zoneName(ms, timeZone, 'short')
  if (!/^GMT[+-]/.test(short)) return short
  const long = zoneName(ms, timeZone, 'long')
  const known = ABBREVIATIONS[long]
  if (known !== undefined) return known
  return / Time$/.test(long) ? long.replaceAll(/(\w)\w*\W*/g, '$1') : short
}

function zoneName(ms: number, timeZone: string | undefined, form: 'short' | 'long'): string {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: form })
  return format.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value ?? ''
}
