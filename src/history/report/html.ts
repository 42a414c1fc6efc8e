/** Text for HTML and SVG. Whatever comes from a history goes through `escaped`: it is poison. */

const NAMED: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** For content and for attribute values in quotes; what no page may hold is shown as codes. */
export function escaped(text: string): string {
  return text
    .replace(/[&<>"']/g, (char) => NAMED[char] ?? '')
    .replace(CONTROLS, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Control characters, lone surrogates, and what turns the direction of text. */
const CONTROLS = new RegExp(
  [
    '[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f]',
    '[\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff]',
    '[\\ud800-\\udbff](?![\\udc00-\\udfff])',
    '(?<![\\ud800-\\udbff])[\\udc00-\\udfff]',
  ].join('|'),
  'g',
)

/** `value` is escaped; null leaves the attribute out. */
export type Attributes = Readonly<Record<string, string | number | null>>

/** `content` is markup already. */
export function element(name: string, attributes: Attributes, content: string = ''): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => ` ${key}="${escaped(String(value))}"`)
    .join('')
  return `<${name}${written}>${content}</${name}>`
}

/** Long texts are cut: a report shows what happened, not all that was stored. */
export function shortened(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars)}…`
}
