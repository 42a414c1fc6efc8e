/** acceptedEpoch and currentEpoch: decimal text beside the snapshots (Q66, Q67). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { epochOf, type Zxid } from '../../core/base/zxid.ts'
import { StorageError } from '../../ports/storage.ts'
import { replaceFile } from './durable-file.ts'

export type EpochName = 'acceptedEpoch' | 'currentEpoch'

export interface Epochs {
  readonly acceptedEpoch: number
  readonly currentEpoch: number
}

const EPOCH = /^\d{1,10}$/

export function writeEpoch(directory: string, name: EpochName, epoch: number): void {
  replaceFile(join(directory, name), String(epoch))
}

/** Without files the epochs are the one of the newest transaction: a standalone server's (Q67). */
export function readEpochs(directory: string, last: Zxid): Epochs {
  const currentEpoch = readEpoch(directory, 'currentEpoch') ?? epochOf(last)
  const acceptedEpoch = readEpoch(directory, 'acceptedEpoch') ?? currentEpoch
  return { acceptedEpoch, currentEpoch }
}

function readEpoch(directory: string, name: EpochName): number | null {
  let text: string
  try {
    text = readFileSync(join(directory, name), 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  if (!EPOCH.test(text)) throw new StorageError('corrupt', `${directory}/${name} is no epoch`)
  return Number(text)
}
