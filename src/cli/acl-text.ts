/** ACLs as they are typed: `scheme:id:perms`, several behind commas (C35). */

import type { Acl } from '../core/jute/data-records.ts'
import { permsFromLetters } from '../core/jute/perms.ts'

/** Bad elements and letters are told and left out; what then is too little the server refuses. */
export function parseAcl(text: string, print: (line: string) => void): Acl[] {
  const acl: Acl[] = []
  for (const element of text.split(',')) {
    const first = element.indexOf(':')
    const last = element.lastIndexOf(':')
    if (first === last) {
      print(`${element} does not have the form scheme:id:perm`)
      continue
    }
    const id = { scheme: element.slice(0, first), id: element.slice(first + 1, last) }
    acl.push({ id, perms: parsePerms(element.slice(last + 1), print) })
  }
  return acl
}

function parsePerms(letters: string, print: (line: string) => void): number {
  let perms = 0
  for (const letter of letters) {
    const bit = permsFromLetters(letter)
    if (bit === null) print(`Unknown perm type: ${letter}`)
    else perms |= bit
  }
  return perms
}
