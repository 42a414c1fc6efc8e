/**
 * The certificate of this checkout, kept in a folder that git ignores: made at first use, used
 * again so that browsers need not ask again, made anew when it ends soon or an address is missing.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { hostname, networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { isIP, isIPv4, isIPv6 } from 'node:net'
import { makeCertificate, type ServerCertificate } from './certificate.ts'

/** Renewed this long before it ends, in days: nobody should meet its last one. Ours. */
const RENEW_BEFORE_DAYS = 30
const DAY_MS = 24 * 60 * 60 * 1_000
const CERTIFICATE_FILE = 'certificate.pem'
const KEY_FILE = 'key.pem'
const OWNER_ONLY_FOLDER = 0o700
const OWNER_ONLY_FILE = 0o600
const NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/

export interface StoredCertificate extends ServerCertificate {
  /** Browsers that accepted an older one will ask again. */
  readonly isNew: boolean
}

/** `needed` renews the certificate when it is missing there, `welcome` only comes along. */
export interface HostsWanted {
  readonly needed: readonly string[]
  /** IPv6 addresses for privacy change every day; browsers should not ask every day. */
  readonly welcome: readonly string[]
}

export async function openCertificate(
  folder: string,
  { needed, welcome }: HostsWanted,
  nowMs: number,
): Promise<StoredCertificate> {
  const kept = await read(folder)
  if (kept !== null && isGood(kept, needed, nowMs)) return { ...kept, isNew: false }
  // Addresses that were ours before stay in: a laptop comes back to the network it left.
  const before = kept === null ? [] : hostsOf(kept.certificate)
  const all = [...new Set([...needed, ...welcome, ...before])].slice(0, HOSTS_MAX)
  const made = makeCertificate({ hosts: all, nowMs })
  await mkdir(folder, { recursive: true, mode: OWNER_ONLY_FOLDER })
  await replace(join(folder, KEY_FILE), made.privateKey)
  await replace(join(folder, CERTIFICATE_FILE), made.certificate)
  return { ...made, isNew: true }
}

/** Names and addresses in one certificate; the oldest go. Ours. */
const HOSTS_MAX = 64

/** This machine as itself and others may call it, and `named` if a person named a host. */
export function ownHosts(named: readonly string[] = []): HostsWanted {
  const name = hostname().toLowerCase()
  const names = NAME.test(name) ? [name, ...(name.includes('.') ? [] : [`${name}.local`])] : []
  const lan = lanAddresses()
  const needed = ['localhost', '127.0.0.1', '::1', ...named, ...names, ...lan.filter(isIPv4)]
  return { needed: [...new Set(needed)], welcome: lan.filter(isIPv6) }
}

/** Addresses that other machines can reach; IPv4 first, as people type those. */
export function lanAddresses(): string[] {
  const found = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const outer = found.filter(({ internal, scopeid }) => !internal && !((scopeid ?? 0) > 0))
  const addresses = [...new Set(outer.map(({ address }) => address))]
  return addresses.sort((a, b) => isIP(a) - isIP(b))
}

async function read(folder: string): Promise<ServerCertificate | null> {
  try {
    const certificate = await readFile(join(folder, CERTIFICATE_FILE), 'utf8')
    const privateKey = await readFile(join(folder, KEY_FILE), 'utf8')
    // Copied about, a key may have become readable to others.
    await chmod(join(folder, KEY_FILE), OWNER_ONLY_FILE)
    return { certificate, privateKey }
  } catch {
    return null
  }
}

function isGood(kept: ServerCertificate, hosts: readonly string[], nowMs: number): boolean {
  try {
    const parsed = new X509Certificate(kept.certificate)
    const endsMs = Date.parse(parsed.validTo)
    const has = (host: string): boolean =>
      (isIP(host) === 0 ? parsed.checkHost(host) : parsed.checkIP(host)) !== undefined
    const isTimely = Date.parse(parsed.validFrom) <= nowMs
    if (!isTimely || endsMs - nowMs < RENEW_BEFORE_DAYS * DAY_MS) return false
    return hosts.every(has) && fits(parsed, kept.privateKey)
  } catch {
    return false
  }
}

function fits(certificate: X509Certificate, privateKey: string): boolean {
  return certificate.checkPrivateKey(createPrivateKey(privateKey))
}

/** `DNS:localhost, IP Address:127.0.0.1` in Node's text. */
function hostsOf(certificate: string): string[] {
  try {
    const text = new X509Certificate(certificate).subjectAltName ?? ''
    return text.split(', ').map((entry) => entry.replace(/^[^:]*:/, ''))
  } catch {
    return []
  }
}

/** Whole or not at all: a crash must not leave half a key. */
async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: OWNER_ONLY_FILE })
  await rename(`${file}.new`, file)
}
