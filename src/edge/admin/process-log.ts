/** The log of this process: its error output, so that its output stays what a command answers. */
import process from 'node:process'
import { createLog, type Log, type LogFields } from './log.ts'

export function processLog(common: LogFields = {}): Log {
  return createLog({
    write: (line) => void process.stderr.write(line),
    isTerminal: process.stderr.isTTY,
    level: 'info',
    wallNow: () => Date.now(),
    common,
  })
}
