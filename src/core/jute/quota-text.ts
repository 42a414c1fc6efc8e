/**
 * The text of a zookeeper_limits or zookeeper_stats node (D52): `count=5,bytes=-1`, and with hard
 * limits `count=5,bytes=-1=;byteHardLimit=100;countHardLimit=7`, where the stray `=` keeps parsers
 * of 3.4 from what follows. −1 stands for none.
 */
import { EMPTY_BYTES } from '../base/bytes.ts'
import { decodeUtf8, encodeUtf8 } from '../base/utf8.ts'

export type QuotaText = ReadonlyMap<string, number>

const NONE = -1
const NUMBER = /^[+-]?\d+$/

/** What is no number counts as none, where ZooKeeper's server would end over its transaction. */
export function readQuota(data: Uint8Array | null): QuotaText {
  const values = new Map<string, number>()
  for (const pair of decodeUtf8(data ?? EMPTY_BYTES).split(/[,;]+/)) {
    const [name, value = ''] = pair.split('=')
    if (name) values.set(name, NUMBER.test(value) ? Number(value) : NONE)
  }
  return values
}

export function quotaValue(text: QuotaText, name: string): number {
  return text.get(name) ?? NONE
}

export function writeQuota(text: QuotaText): Uint8Array {
  const others = [...text].filter(([name]) => name !== 'count' && name !== 'bytes').sort(byName)
  const hard = others.map(([name, value]) => `;${name}=${value}`).join('')
  const soft = `count=${quotaValue(text, 'count')},bytes=${quotaValue(text, 'bytes')}`
  return encodeUtf8(hard === '' ? soft : `${soft}=${hard}`)
}

function byName([a]: readonly [string, number], [b]: readonly [string, number]): number {
  return a < b ? -1 : 1
}
