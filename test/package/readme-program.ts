import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TOP } from './packed.ts'

const HEADING = '\n## Use it in your app\n'
const PROGRAM = /```js\n([\s\S]*?)```/
const README = join(TOP, 'README.md')

/** The first program of the README's section for developers, as it stands there. */
export async function readmeProgram(): Promise<string> {
  const text = await readFile(README, 'utf8')
  const section = text.split(HEADING)[1]
  const program = section === undefined ? null : PROGRAM.exec(section)
  if (program?.[1] === undefined) throw new Error(`README.md has no program under${HEADING}`)
  return program[1]
}

/** The README shows the file as it is. */
export async function isInReadme(file: string): Promise<boolean> {
  const [text, shown] = await Promise.all([readFile(README, 'utf8'), readFile(file, 'utf8')])
  return text.includes(`\`\`\`js\n${shown}\`\`\``)
}

/** What a program prints, line by line, as the README shows it after that beginning. */
export async function shownInReadme(beginning: string): Promise<readonly string[]> {
  const text = await readFile(README, 'utf8')
  const shown = text.split(`\`\`\`\n${beginning}`)[1]?.split('\n```')[0]
  if (shown === undefined) throw new Error(`README.md shows nothing that begins ${beginning}`)
  return (beginning + shown).split('\n').map((line) => line.trim())
}
