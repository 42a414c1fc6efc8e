/** The pages as another build has them: the project's own build with some lines of it changed. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'vite'

const TOP = fileURLToPath(new URL('../..', import.meta.url))

export interface Change {
  /** From the top of the repository. */
  readonly file: string
  readonly from: string
  readonly to: string
}

export class Variant implements AsyncDisposable {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  static async build(changes: readonly Change[]): Promise<Variant> {
    for (const { file, from } of changes) {
      const text = await readFile(join(TOP, file), 'utf8')
      if (!text.includes(from)) throw new Error(`${file} has no line ${from}`)
    }
    const folder = await mkdtemp(join(tmpdir(), 'zabra-variant-'))
    const mode = process.env['NODE_ENV']
    process.env['NODE_ENV'] = 'production'
    try {
      await build({
        configFile: join(TOP, 'vite.config.ts'),
        logLevel: 'error',
        plugins: [changing(changes)],
        worker: { plugins: () => [changing(changes)] },
        build: { outDir: folder, emptyOutDir: true },
      })
    } finally {
      process.env['NODE_ENV'] = mode
    }
    return new Variant(folder)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }
}

function changing(changes: readonly Change[]): Plugin {
  return {
    name: 'zabra-variant',
    enforce: 'pre',
    transform(code, id) {
      const path = id.split('?', 1)[0]?.replaceAll(sep, '/') ?? ''
      const here = changes.filter(({ file }) => path.endsWith(`/${file}`))
      if (here.length === 0) return undefined
      const changed = here.reduce((text, { from, to }) => text.replace(from, to), code)
      return { code: changed, map: null }
    },
  }
}
