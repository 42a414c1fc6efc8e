// Installs the packages that package-lock.json asks for, when they are missing or others.
// Used by `npm start` and `npm test`, so Node's built-in modules are all that it may import.
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

export const TOP = fileURLToPath(new URL('..', import.meta.url))

const NODE_MIN = [20, 19]

/** Ends the program with a plain message when this Node is too old for the tools. */
export function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return
  console.error(
    `zabra needs Node ${NODE_MIN.join('.')} or newer; this is Node ${process.versions.node}.`,
  )
  process.exit(1)
}

/** Installs when something is missing; rejects when that failed. */
export async function installWhatIsMissing() {
  const reason = await whyInstall()
  if (reason === undefined) return
  console.log(`Installing packages (npm ci): ${reason}.`)
  // A production setting of NODE_ENV must not leave out Vite.
  const code = await run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'])
  if (code !== 0) throw new Error(`npm ci failed (exit code ${code}); its own message is above`)
}

/** Runs a program in the top folder with our own input and output; resolves to its exit code. */
export function run(program, args, env = process.env) {
  return new Promise((resolve, reject) => {
    // On Windows npm is a script, which only a shell starts.
    const child = spawn(program, args, {
      cwd: TOP,
      env,
      stdio: 'inherit',
      shell: process.platform === 'win32' && program === 'npm',
    })
    child.on('error', reject)
    child.on('exit', (code) => resolve(code ?? 1))
  })
}

/** Compares what npm noted in node_modules with the lock file: dates of files prove nothing. */
async function whyInstall() {
  const wanted = await packagesOf('package-lock.json')
  const found = await packagesOf('node_modules/.package-lock.json').catch(() => undefined)
  if (wanted === undefined) throw new Error('package-lock.json is missing or damaged')
  if (found === undefined) return 'there are none yet'
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || (entry.optional === true && found[path] === undefined)) continue
    if (found[path]?.version !== entry.version) return `${path} is not ${entry.version}`
  }
  return undefined
}

async function packagesOf(file) {
  return JSON.parse(await readFile(new URL(`../${file}`, import.meta.url), 'utf8')).packages
}
