/** The worker of a member with faults, of sources with some lines changed: a bug, put in. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { TOP } from '../package/packed.ts'
import type { Change } from './build-variant.ts'

export async function memberWorkerWith(...changes: readonly Change[]): Promise<string> {
  for (const { file, from } of changes) {
    const text = await readFile(join(TOP, file), 'utf8')
    if (!text.includes(from)) throw new Error(`${file} has no line ${from}`)
  }
  const built = await rolldown({
    cwd: TOP,
    input: 'worker/member-with-faults.worker.ts',
    platform: 'browser',
    tsconfig: false,
    plugins: [
      {
        name: 'zabra-planted',
        transform: (code, id) => {
          const own = changes.filter(({ file }) => id.endsWith(file))
          if (own.length === 0) return null
          return own.reduce((text, { from, to }) => text.replace(from, to), code)
        },
      },
    ],
  })
  const { output } = await built.generate({ format: 'es', codeSplitting: false })
  await built.close()
  return output[0].code
}
