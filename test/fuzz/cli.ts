/**
 * `npm run fuzz -- --inputs 1000000`: hostile bytes for everything that reads any. The last line is
 * `N passed, N failed`.
 */
import { parseArgs } from 'node:util'
import { describeFailure, fuzz } from './fuzz.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    inputs: { type: 'string', default: '1000000' },
    from: { type: 'string', default: '0' },
    target: { type: 'string', default: '' },
  },
})

const { ran, failures } = fuzz({
  seed: Number(values.seed),
  inputs: Number(values.inputs),
  from: Number(values.from),
  only: values.target,
})
for (const failure of failures) console.log(`${describeFailure(failure)}\n`)
console.log(`${ran - failures.length} passed, ${failures.length} failed`)
process.exitCode = failures.length === 0 ? 0 : 1
