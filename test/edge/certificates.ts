/** An authority and certificates of it in a folder, made by openssl for one test file. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
const VALID = ['-days', '2']
export const PASSWORD = 'changeit'

export class Certificates {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'zabra-tls-'))
  /** Of the authority: a trust store. */
  readonly authority: string = join(this.folder, 'ca.pem')

  constructor() {
    const key = join(this.folder, 'ca.key')
    const subject = ['-subj', '/CN=authority of a test']
    openssl('req', '-x509', ...EC, '-keyout', key, '-out', this.authority, ...subject, ...VALID)
  }

  /** Key and certificate in one file; `names` as `DNS:localhost,IP:127.0.0.1`. */
  pem(name: string, subject: string, names = 'DNS:localhost,IP:127.0.0.1'): string {
    const at = (ending: string): string => join(this.folder, `${name}.${ending}`)
    openssl('req', ...EC, '-keyout', at('key'), '-out', at('csr'), '-subj', subject)
    writeFileSync(at('ext'), `subjectAltName=${names}\n`)
    const authority = ['-CA', this.authority, '-CAkey', join(this.folder, 'ca.key')]
    const request = ['-in', at('csr'), '-extfile', at('ext'), '-out', at('crt')]
    openssl('x509', '-req', ...request, ...authority, '-CAcreateserial', ...VALID)
    writeFileSync(at('pem'), readFileSync(at('key'), 'utf8') + readFileSync(at('crt'), 'utf8'))
    return at('pem')
  }

  /** The certificate of the authority with its list of revoked ones, as a trust store. */
  revoking(...pems: readonly string[]): string {
    const at = (name: string): string => join(this.folder, name)
    writeFileSync(at('index.txt'), '')
    writeFileSync(at('crlnumber'), '01\n')
    writeFileSync(
      at('ca.cnf'),
      ['[ca]', 'default_ca=own', '[own]', `database=${at('index.txt')}`]
        .concat([`crlnumber=${at('crlnumber')}`, 'default_md=sha256', 'default_crl_days=2'])
        .join('\n'),
    )
    const by = ['-config', at('ca.cnf'), '-cert', this.authority, '-keyfile', at('ca.key')]
    for (const pem of pems) openssl('ca', ...by, '-revoke', pem.replace(/\.pem$/, '.crt'))
    openssl('ca', ...by, '-gencrl', '-out', at('crl.pem'))
    const trust = at('revoking.pem')
    writeFileSync(trust, readFileSync(this.authority, 'utf8') + readFileSync(at('crl.pem'), 'utf8'))
    return trust
  }

  /** The same as PKCS #12, with PASSWORD. */
  p12(pem: string): string {
    const path = pem.replace(/\.pem$/, '.p12')
    openssl('pkcs12', '-export', '-in', pem, '-out', path, '-passout', `pass:${PASSWORD}`)
    return path
  }

  remove(): void {
    rmSync(this.folder, { recursive: true })
  }
}

function openssl(...words: readonly string[]): void {
  execFileSync('openssl', words, { stdio: 'ignore' })
}
