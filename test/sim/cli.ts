import { replayForPeople, runSeed } from './run-seed.ts'
const seed = Number(process.argv[2] ?? 1)
const n = Number(process.argv[3] ?? 1)
const t0 = performance.now()
for (let s = seed; s < seed + n; s++) {
  const r = runSeed(s)
  const { transcript, ...rest } = r
  if (n < 5 || r.violation) console.log(rest)
}
console.log((performance.now() - t0) / n, 'ms per seed')
if (n === 1) console.log(replayForPeople(seed, { transcriptLines: Number(process.argv[4] ?? 60) }).transcript.join('\n'))
