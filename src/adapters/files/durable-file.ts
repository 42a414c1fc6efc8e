/** Files and directories that are on disk when the call returns. */
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'

/** Where names may be lost in a crash: their directory must reach the disk, too. */
export function syncDirectory(path: string): void {
  // Windows does not open directories; its renames are journalled.
  if (process.platform === 'win32') return
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

export function writeAll(fd: number, bytes: Uint8Array, position: number | null): void {
  for (let done = 0; done < bytes.length;) {
    const at = position === null ? null : position + done
    done += writeSync(fd, bytes, done, bytes.length - done, at)
  }
}

/**
 * Replaces a small file as a whole: after a crash it has the old content or the new one. `mode`:
 * its rights, before anything is in it.
 */
export function replaceFile(path: string, content: string, mode?: number): void {
  const draft = `${path}.tmp`
  // A draft that a crash left would keep the rights it has.
  if (mode !== undefined) rmSync(draft, { force: true })
  const fd = openSync(draft, 'w', mode)
  try {
    writeAll(fd, new TextEncoder().encode(content), null)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(draft, path)
  syncDirectory(dirname(path))
}

/** As plain bytes: `slice` of Node's Buffer makes views where everybody else expects copies. */
export function readBytes(path: string): Uint8Array {
  const { buffer, byteOffset, byteLength } = readFileSync(path)
  return new Uint8Array(buffer, byteOffset, byteLength)
}
