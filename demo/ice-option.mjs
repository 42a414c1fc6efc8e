// `npm start -- --ice FILE|JSON`: STUN and TURN servers for everybody who opens the pages.
import { readFile } from 'node:fs/promises'

/** `parse` is parseIceText; what starts like JSON or an address is no file. */
export async function readIceSettings(value, parse) {
  if (/^\s*[[{]|^(stun|turn)s?:/i.test(value)) return checked(value, parse, '--ice')
  const text = await readFile(value, 'utf8').catch((error) => {
    const why = error.code === 'ENOENT' ? 'there is no such file' : error.message
    throw new Error(`--ice ${value}: ${why}`)
  })
  return checked(text, parse, `--ice ${value}`)
}

function checked(text, parse, where) {
  try {
    return parse(text)
  } catch (error) {
    throw new Error(`${where}: ${error.message}`)
  }
}
