/**
 * `npm run fuzz -- --inputs 1000000`: hostile bytes for everything that reads any. With `--guided`
 * inputs are made from those that reached new code, too, and `--keep` writes these down; `--blind`
 * counts what is reached without learning. The last line is `N passed, N failed`.
 */
import { parseArgs } from 'node:util'
import { describeFailure, fuzz } from './fuzz.ts'
import { keep } from './grown-corpus.ts'
import { guided } from './guided.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    inputs: { type: 'string', default: '1000000' },
    from: { type: 'string', default: '0' },
    target: { type: 'string', default: '' },
    guided: { type: 'boolean', default: false },
    blind: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
})

const { seed, inputs, from, target: only } = values
const common = { seed: Number(seed), inputs: Number(inputs), only }

async function counted(): Promise<readonly [ran: number, failures: readonly string[]]> {
  const result = await guided({ ...common, isLearning: values.guided })
  const learned = [...result.found.values()].reduce((sum, { length }) => sum + length, 0)
  console.log(`${result.reached} places of src reached, ${learned} inputs learned`)
  if (values.keep) console.log(`${keep(result.found)} inputs in grown-corpus.txt`)
  return [result.ran, result.failures]
}

async function plain(): Promise<readonly [ran: number, failures: readonly string[]]> {
  const { ran, failures } = await fuzz({ ...common, from: Number(from) })
  return [ran, failures.map(describeFailure)]
}

const [ran, failures] = await (values.guided || values.blind ? counted() : plain())
for (const failure of failures) console.log(`${failure}\n`)
console.log(`${ran - failures.length} passed, ${failures.length} failed`)
process.exitCode = failures.length === 0 ? 0 : 1
