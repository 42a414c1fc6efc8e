/**
 * npm and npx start a shell, and the shell this program. A signal to npm reaches the shell alone:
 * a server would stay behind that nobody knows of. So what npm started ends when its shell does.
 */
import process from 'node:process'

/** Ours. Nobody waits for it but who wants the port again. */
const LOOK_MS = 500
const VARIABLE = 'npm_command'

/** Ends this process, as by SIGTERM, when npm's shell is gone; without npm it does nothing. */
export function endWithNpm(): void {
  if (process.env[VARIABLE] === undefined) return
  const shell = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === shell) return
    clearInterval(timer)
    process.kill(process.pid, 'SIGTERM')
  }, LOOK_MS)
  timer.unref()
}

/** The environment of a process that is to outlive this one. */
export function withoutNpm(): NodeJS.ProcessEnv {
  const { [VARIABLE]: _, ...rest } = process.env
  return rest
}
