/** A file that names a process, in zkServer.sh's form and in our own. */
import { readFileSync } from 'node:fs'
import process from 'node:process'

/** Not 0, which would name everybody of our own group. */
const PID = /^[1-9]\d{0,9}$/

/** null: there is no such file, or it names no process. */
export function readPid(path: string): number | null {
  try {
    const text = readFileSync(path, 'utf8').trim()
    return PID.test(text) ? Number(text) : null
  } catch {
    return null
  }
}

/** Somebody has this number, also where we may not signal them. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
