/**
 * A transaction as a log entry and a PROPOSAL carry it: TxnHeader, the record that the header's
 * type selects, and perhaps a TxnDigest (P3, Q45).
 *
 * The header's type decides the record, so a `create` transaction goes with types create and
 * create2, `setData` with setData and reconfig (Q74), `delete` with delete and deleteContainer.
 */

import { assert } from '../base/assert.ts'
import { JuteError } from './jute-error.ts'
import { OpCode } from './op-code.ts'
import { JuteReader, type JuteLimits } from './reader.ts'
import {
  checkVersionTxnRecord,
  closeSessionTxnRecord,
  createContainerTxnRecord,
  createSessionTxnRecord,
  createTTLTxnRecord,
  createTxnRecord,
  createTxnV0Record,
  deleteTxnRecord,
  errorTxnRecord,
  setACLTxnRecord,
  setDataTxnRecord,
  txnDigestRecord,
  txnHeaderRecord,
  type CheckVersionTxn,
  type CloseSessionTxn,
  type CreateContainerTxn,
  type CreateSessionTxn,
  type CreateTTLTxn,
  type CreateTxn,
  type DeleteTxn,
  type ErrorTxn,
  type SetACLTxn,
  type SetDataTxn,
  type TxnDigest,
  type TxnHeader,
} from './txn-records.ts'
import { JuteWriter, writeBytes } from './writer.ts'

/** A transaction that is no multi. */
export type SimpleTxn =
  | ({
      readonly kind: 'create'
      /**
       * Inside a multi only, where no header tells: create2 answers path and Stat (W48). Absent
       * means create; decoding leaves it out for create and for a transaction of its own.
       */
      readonly type?: typeof OpCode.create2
    } & CreateTxn)
  | ({ readonly kind: 'createContainer' } & CreateContainerTxn)
  | ({ readonly kind: 'createTTL' } & CreateTTLTxn)
  | ({ readonly kind: 'delete' } & DeleteTxn)
  | ({ readonly kind: 'setData' } & SetDataTxn)
  | ({ readonly kind: 'setACL' } & SetACLTxn)
  | ({ readonly kind: 'check' } & CheckVersionTxn)
  | ({ readonly kind: 'createSession' } & CreateSessionTxn)
  | ({ readonly kind: 'closeSession' } & CloseSessionTxn)
  | ({ readonly kind: 'error' } & ErrorTxn)

export interface MultiTxn {
  readonly kind: 'multi'
  /** In the order of the operations; all of kind error when the multi failed (W49). */
  readonly txns: readonly SimpleTxn[]
}

export type Txn = SimpleTxn | MultiTxn

export interface LoggedTxn {
  readonly header: TxnHeader
  readonly txn: Txn
  /** undefined when the writer keeps no digests. */
  readonly digest: TxnDigest | undefined
}

export function encodeTxn(header: TxnHeader, txn: Txn, digest?: TxnDigest): Uint8Array {
  if (kindOfType(header.type) !== txn.kind) {
    assert(false, `${txn.kind} transaction of type ${header.type}`)
  }
  return writeBytes((w) => {
    txnHeaderRecord.write(w, header)
    writeTxn(w, txn)
    if (digest !== undefined) txnDigestRecord.write(w, digest)
  })
}

/**
 * Buffers inside the result are views of `bytes`. An unknown type is a JuteError, never skipped.
 */
export function decodeTxn(bytes: Uint8Array, limits?: JuteLimits): LoggedTxn {
  const r = new JuteReader(bytes, limits)
  const header = txnHeaderRecord.read(r)
  const txn = readTxn(r, header.type)
  const digest = r.atEnd ? undefined : txnDigestRecord.read(r)
  if (!r.atEnd) throw new JuteError(`${r.remaining} bytes after a transaction`)
  return { header, txn, digest }
}

/** The type of a transaction that stands alone, unless its request had another name for it. */
export function txnType(txn: Txn): OpCode {
  return txn.kind === 'create' ? (txn.type ?? OpCode.create) : OpCode[txn.kind]
}

function kindOfType(type: number): Txn['kind'] {
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
      return 'create'
    case OpCode.createContainer:
      return 'createContainer'
    case OpCode.createTTL:
      return 'createTTL'
    case OpCode.delete:
    case OpCode.deleteContainer:
      return 'delete'
    case OpCode.setData:
    case OpCode.reconfig:
      return 'setData'
    case OpCode.setACL:
      return 'setACL'
    case OpCode.check:
      return 'check'
    case OpCode.createSession:
      return 'createSession'
    case OpCode.closeSession:
      return 'closeSession'
    case OpCode.error:
      return 'error'
    case OpCode.multi:
      return 'multi'
    default:
      throw new JuteError(`unknown transaction type ${type}`)
  }
}

function writeTxn(w: JuteWriter, txn: Txn): void {
  switch (txn.kind) {
    case 'create':
      return createTxnRecord.write(w, txn)
    case 'createContainer':
      return createContainerTxnRecord.write(w, txn)
    case 'createTTL':
      return createTTLTxnRecord.write(w, txn)
    case 'delete':
      return deleteTxnRecord.write(w, txn)
    case 'setData':
      return setDataTxnRecord.write(w, txn)
    case 'setACL':
      return setACLTxnRecord.write(w, txn)
    case 'check':
      return checkVersionTxnRecord.write(w, txn)
    case 'createSession':
      return createSessionTxnRecord.write(w, txn)
    case 'closeSession':
      return closeSessionTxnRecord.write(w, txn)
    case 'error':
      return errorTxnRecord.write(w, txn)
    case 'multi':
      return w.vector(txn.txns, writeSubTxn)
  }
}

/** Txn{int type, buffer data}: each operation of a multi is a record inside a buffer. */
function writeSubTxn(w: JuteWriter, txn: SimpleTxn): void {
  const inner = new JuteWriter()
  writeTxn(inner, txn)
  w.int(txnType(txn))
  w.buffer(inner.finish())
}

function readTxn(r: JuteReader, type: number): Txn {
  const kind = kindOfType(type)
  if (kind !== 'multi') return readSimpleTxn(r, kind)
  return { kind, txns: r.list('txns', readSubTxn) }
}

function readSubTxn(r: JuteReader): SimpleTxn {
  const type = r.int()
  const data = r.buffer()
  const kind = kindOfType(type)
  if (kind === 'multi' || data === null)
    throw new JuteError(`transaction of type ${type} in a multi`)
  const inner = new JuteReader(data)
  const txn = readSimpleTxn(inner, kind)
  if (!inner.atEnd) throw new JuteError(`${inner.remaining} bytes after a transaction in a multi`)
  return txn.kind === 'create' && type === OpCode.create2 ? { ...txn, type } : txn
}

function readSimpleTxn(r: JuteReader, kind: SimpleTxn['kind']): SimpleTxn {
  switch (kind) {
    case 'create':
      return readCreateTxn(r)
    case 'createContainer':
      return { kind, ...createContainerTxnRecord.read(r) }
    case 'createTTL':
      return { kind, ...createTTLTxnRecord.read(r) }
    case 'delete':
      return { kind, ...deleteTxnRecord.read(r) }
    case 'setData':
      return readSetDataTxn(r)
    case 'setACL':
      return { kind, ...setACLTxnRecord.read(r) }
    case 'check':
      return { kind, ...checkVersionTxnRecord.read(r) }
    case 'createSession':
      return { kind, ...createSessionTxnRecord.read(r) }
    case 'closeSession':
      return { kind, ...closeSessionTxnRecord.read(r) }
    case 'error':
      return { kind, ...errorTxnRecord.read(r) }
  }
}

/** A record that ends before parentCVersion is a CreateTxnV0 (P8). */
function readCreateTxn(r: JuteReader): SimpleTxn {
  const { path, data, acl, ephemeral } = createTxnV0Record.read(r)
  const parentCVersion = r.atEnd ? -1 : r.int()
  return { kind: 'create', path, data, acl, ephemeral, parentCVersion }
}

/** Field by field, as the create above: these two are nearly all that a busy ensemble decodes. */
function readSetDataTxn(r: JuteReader): SimpleTxn {
  const { path, data, version } = setDataTxnRecord.read(r)
  return { kind: 'setData', path, data, version }
}
