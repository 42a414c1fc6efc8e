/** The worker of a member with faults, of sources with some lines changed: a bug, put in. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { TOP } from '../package/packed.ts'
import type { Change } from './build-variant.ts'

export async function memberWorkerWith({ file, from, to }: Change): Promise<string> {
  const text = await readFile(join(TOP, file), 'utf8')
  if (!text.includes(from)) throw new Error(`${file} has no line ${from}`)
  const built = await rolldown({
    cwd: TOP,
    input: 'worker/member-with-faults.worker.ts',
    platform: 'browser',
    tsconfig: false,
    plugins: [
      {
        name: 'zabra-planted',
        transform: (code, id) => (id.endsWith(file) ? code.replace(from, to) : null),
      },
    ],
  })
  const { output } = await built.generate({ format: 'es', codeSplitting: false })
  await built.close()
  return output[0].code
}
