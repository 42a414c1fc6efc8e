/**
 * A log entry in the words of ZooKeeper's TxnLogToolkit, one line each. What it prints as raw
 * bytes, the parts of a multi, is spelled out here.
 */
import { decodeUtf8 } from '../../core/base/utf8.ts'
import type { Acl } from '../../core/jute/data-records.ts'
import { OpCode, opName } from '../../core/jute/op-code.ts'
import { decodeTxn, txnType, type LoggedTxn, type Txn } from '../../core/jute/txn.ts'

/** null: these bytes are no transaction. */
export function readEntry(entry: Uint8Array): LoggedTxn | null {
  try {
    return decodeTxn(entry)
  } catch {
    return null
  }
}

export function txnLine({ header, txn }: LoggedTxn, timeZone?: string): string {
  const { clientId, cxid, zxid, time, type } = header
  const ids = `session ${hex(clientId)} cxid ${hex(BigInt(cxid), 32)} zxid ${hex(zxid)}`
  return `${dateText(time, timeZone)} ${ids} ${nameOf(type)} ${txnText(txn)}`
}

/** Of a transaction's fields, for programs. */
export function txnJson({ header, txn, digest }: LoggedTxn): string {
  const fields = { ...header, op: nameOf(header.type), txn, digest: digest?.treeDigest }
  return JSON.stringify(fields, (key, value: unknown) => {
    if (typeof value === 'bigint') return key === 'treeDigest' ? String(value) : hex(value)
    return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
  })
}

function txnText(txn: Txn): string {
  switch (txn.kind) {
    case 'create': {
      const { path, data, acl, ephemeral, parentCVersion } = txn
      return [path, text(data), aclText(acl), ephemeral, parentCVersion].join(',')
    }
    case 'createContainer':
      return [txn.path, text(txn.data), aclText(txn.acl), txn.parentCVersion].join(',')
    case 'createTTL': {
      const { path, data, acl, parentCVersion, ttl } = txn
      return [path, text(data), aclText(acl), parentCVersion, ttl].join(',')
    }
    case 'setData':
      return [txn.path, text(txn.data), txn.version].join(',')
    case 'delete':
      return `'${txn.path}`
    case 'setACL':
      return `'${txn.path},v{${txn.acl.map(aclRecord).join(',')}},${txn.version}`
    case 'check':
      return `'${txn.path},${txn.version}`
    case 'createSession':
      return String(txn.timeOut)
    case 'closeSession':
      return txn.paths === null ? '' : `v{${txn.paths.map((path) => `'${path}`).join(',')}}`
    case 'error':
      return String(txn.err)
    case 'multi':
      return txn.txns.map((part) => `${nameOf(txnType(part))}:${txnText(part)}`).join(';')
  }
}

function nameOf(type: number): string {
  return type === OpCode.createTTL ? 'createTtl' : opName(type)
}

function aclText(acl: readonly Acl[]): string {
  // Java's list of records, each of which ends its line.
  return `[${acl.map((one) => `${aclFields(one)}\n`).join(', ')}]`
}

function aclRecord(acl: Acl): string {
  return `s{${aclFields(acl)}}`
}

function aclFields({ perms, id }: Acl): string {
  return `${perms},s{'${id.scheme},'${id.id}}`
}

function text(data: Uint8Array | null): string {
  return data === null ? '' : decodeUtf8(data)
}

function hex(value: bigint, bits = 64): string {
  return `0x${BigInt.asUintN(bits, value).toString(16)}`
}

/** Java's short date and long time: `11/21/26, 9:27:24 PM UTC`. */
function dateText(ms: number, timeZone: string | undefined): string {
  const format = new Intl.DateTimeFormat('en-US', {
    dateStyle: 'short',
    timeStyle: 'long',
    timeZone,
  })
  return format.format(ms).replaceAll('\u202f', ' ')
}
