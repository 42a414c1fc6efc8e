/** The package as npm would hand it out: packed, and installed without a network. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { buildPackageWhenChanged } from '../../demo/build-package.mjs'

export const TOP: string = fileURLToPath(new URL('../..', import.meta.url))

const run = promisify(execFile)
/** npm prints much about configurations. */
const OUTPUT_MAX_BYTES = 16 * 1024 * 1024

/** An npm of a test must not see what the npm around it was told. */
const ENVIRONMENT = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith('npm_')),
)

export interface Packed {
  readonly tarball: string
  readonly files: readonly string[]
}

/** Builds when a source has changed, then packs into `folder`. */
export async function packInto(folder: string): Promise<Packed> {
  await buildPackageWhenChanged()
  // The build is fresh, so prepack need not run.
  const packing = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
  const made = JSON.parse(await npm(packing, TOP)) as { filename: string; files: unknown }[]
  const { filename = '', files } = made[0] ?? {}
  return {
    tarball: join(folder, filename),
    files: (files as { path: string }[]).map(({ path }) => path),
  }
}

/** A folder with a package.json of its own and the tarball in its node_modules. */
export async function installInto(folder: string, tarball: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const manifest = { name: 'consumer', private: true, type: 'module' }
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest))
  await npm(
    ['install', '--offline', '--no-audit', '--no-fund', '--ignore-scripts', tarball],
    folder,
  )
}

/** Gone when the callback has ended. */
export async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'zabra-package-'))
  try {
    await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function npm(args: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await run('npm', args, {
    cwd,
    env: ENVIRONMENT,
    maxBuffer: OUTPUT_MAX_BYTES,
    shell: process.platform === 'win32',
  })
  return stdout
}
