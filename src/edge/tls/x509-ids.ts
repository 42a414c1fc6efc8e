/** Who a client is by its certificate (scheme x509): its distinguished name, as Java writes it. */
import type { X509Certificate } from 'node:crypto'
import type { Id } from '../../core/jute/data-records.ts'
import { SUPER_ID } from '../../core/tree/acl.ts'

/** `superUser`: X509AuthenticationProvider.superUser, the name that passes every ACL. */
export function x509Ids(certificate: X509Certificate | null, superUser: string | null): Id[] {
  if (certificate === null) return []
  const name = distinguishedName(certificate.subject)
  const own: Id = { scheme: 'x509', id: name }
  return name === superUser ? [SUPER_ID, own] : [own]
}

/**
 * RFC 2253: the last attribute first. Node gives a line for each, escaped already; attributes that
 * are in no table of Java's are written as numbers there.
 */
export function distinguishedName(subject: string): string {
  const parts = subject.split('\n').filter((part) => part !== '')
  return parts
    .map((part) => part.replaceAll(' + ', '+'))
    .map(asJavaWrites)
    .reverse()
    .join(',')
}

const EMAIL = /^emailAddress=(.*)$/s
const EMAIL_OID = '1.2.840.113549.1.9.1'
/** The tag of an IA5String, in which addresses are. */
const IA5_STRING = 0x16

function asJavaWrites(part: string): string {
  const address = EMAIL.exec(part)?.[1]
  if (address === undefined) return part
  const text = Buffer.from(address, 'latin1')
  const der = Buffer.concat([Buffer.of(IA5_STRING, text.length), text])
  return `${EMAIL_OID}=#${der.toString('hex')}`
}
