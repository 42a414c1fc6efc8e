// Each rule is broken by something planted: a rule that nothing breaks proves nothing. The table of
// rules in README.md names what breaks each.
import { readFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { listen } from '../checkers/all-checkers.ts'
import { runSeed } from '../run-seed.ts'
import { World, type WorldOptions } from '../world.ts'
import { PLANTED_BUGS } from './bugs.ts'
import { BROKEN_BY_BUGS, LIES, LyingProbe, type Lie } from './lies.ts'
import type { PlantedBug } from './planted-bug.ts'
import { SABOTAGES, type Sabotage } from './sabotage.ts'

// A busy machine takes its time; nothing here waits for real time.
vi.setConfig({ testTimeout: 600_000 })

/** Not in every run there is something to lie about. */
const SEEDS_MAX = 30
/** Short, and with much going on. */
const DRAW = { voters: 3, safetyMs: 15_000, thinkMs: 60, restores: false } as const

/** Rules broken by the first seed of which one is. */
function firstBroken(
  options: (world: () => World) => Partial<WorldOptions>,
  begin: (world: World) => void = () => undefined,
): string | undefined {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const world: World = new World({ seed, draw: DRAW, ...options(() => world) })
    listen(world)
    begin(world)
    world.run()
    if (world.violation !== null) return world.violation.checker
  }
  return undefined
}

test.each(LIES)('$rule: $what', (lie: Lie) => {
  const { rule, isAlone = false } = lie
  const broken = firstBroken((world) => ({
    probe: new LyingProbe(lie, () => world().hosts),
    ...(isAlone ? { onlyRule: rule } : {}),
  }))
  expect(broken).toBe(lie.rule)
})

test.each(SABOTAGES)('$rule: $what', ({ rule, planted, draw, begin }: Sabotage) => {
  const needs = { draw: { ...DRAW, ...draw }, ...(planted === undefined ? {} : { planted }) }
  const broken = firstBroken(() => needs, begin)
  expect(broken).toBe(rule)
})

const SEEN_ALONE = PLANTED_BUGS.flatMap((bug) =>
  (bug.alsoFoundBy ?? []).map((rule) => ({ rule, bug, name: bug.name })),
)

test.each(SEEN_ALONE)('$rule alone finds $name', ({ rule, bug }) => {
  const isFound = (seed: number): boolean =>
    runSeed(seed, { planted: bug, onlyRule: rule }).violation !== null
  expect(Array.from({ length: SEEDS_MAX }, (_, i) => i + 1).some(isFound)).toBe(true)
})

test('no rule is left out, and the README names them all', () => {
  const world = new World({ seed: 1 })
  listen(world)
  const broken = [...LIES, ...SABOTAGES].map(({ rule }) => rule)
  const rules = [...new Set([...broken, ...Object.keys(BROKEN_BY_BUGS)])].sort()
  expect(rules).toEqual([...world.ruleNames].sort())
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const rows = [...readme.matchAll(/^\| `(\w+)` +\| .+ \| (.+) \|$/gm)]
  const told = rows.map(([, rule]) => rule).filter((rule) => world.ruleNames.has(rule ?? ''))
  expect(told.sort()).toEqual(rules)
})

test('the bugs that break the others are there, and are to be found by them', () => {
  for (const [rule, names] of Object.entries(BROKEN_BY_BUGS)) {
    const bugs = PLANTED_BUGS.filter(({ foundBy }) => foundBy.includes(rule))
    expect(bugs.map(({ name }) => name)).toEqual(expect.arrayContaining([...names]))
  }
})

test('each bug is to be found by rules that are there', () => {
  const world = new World({ seed: 1 })
  listen(world)
  for (const { name, foundBy, alsoFoundBy = [] } of PLANTED_BUGS) {
    expect(foundBy.length, name).toBeGreaterThan(0)
    const rules = [...foundBy, ...alsoFoundBy]
    expect([...world.ruleNames], name).toEqual(expect.arrayContaining(rules))
  }
})

test('each rule is broken by a mistake in the code', () => {
  const world = new World({ seed: 1 })
  listen(world)
  const rulesOf = ({ foundBy, alsoFoundBy = [] }: PlantedBug) => [...foundBy, ...alsoFoundBy]
  const found = new Set(PLANTED_BUGS.flatMap(rulesOf))
  expect([...world.ruleNames].filter((rule) => !found.has(rule))).toEqual([])
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  expect(readme).toContain(`; ${PLANTED_BUGS.length} are planted`)
})
