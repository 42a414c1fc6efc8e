// A test that fails leaves the history of its ensemble as a page, and says where.
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { forEachSeed, testEnsemble, type TestEnsemble } from '../../src/testing.ts'

let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zabra-report-'))
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

async function failureOf(work: Promise<unknown>): Promise<Error> {
  const failed = await work.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  )
  return failed instanceof Error ? failed : new Error(String(failed))
}

function pageNamedIn({ message }: Error): string {
  return /^the history as a page: (.*)$/m.exec(message)?.[1] ?? ''
}

/** No judge has anything against it: the test expected something else. */
async function wishfully(ensemble: TestEnsemble): Promise<void> {
  const client = await ensemble.client()
  await client.create('/wish')
  await ensemble.kill(await ensemble.waitForLeader())
  expect(await client.getChildren('/')).toContain('came true')
}

test('a test of one seed: a page of its own, named in the error', async () => {
  const failed = await failureOf(forEachSeed(3, wishfully, { seed: 5 }))
  const page = pageNamedIn(failed)
  expect(page).toMatch(/zabra-testing[/\\]seed-5-[0-9a-f]+\.html$/)
  const html = readFileSync(page, 'utf8')
  for (const words of ['came true', 'create /wish', 'ZABRA_SEED=5', 'kill(', 'Timeline']) {
    expect(html).toContain(words)
  }
  expect(html).not.toContain('Every rule was kept')
  // The same history again is the same page.
  expect(pageNamedIn(await failureOf(forEachSeed(1, wishfully, { seed: 5 })))).toBe(page)
  await rm(page)
})

test('reportFile: there, or nowhere', async () => {
  const reportFile = join(folder, 'deep', 'inside.html')
  const failed = await failureOf(forEachSeed(1, wishfully, { reportFile }))
  expect(pageNamedIn(failed)).toBe(reportFile)
  expect(existsSync(reportFile)).toBe(true)
  const silent = await failureOf(forEachSeed(1, wishfully, { reportFile: null }))
  expect(silent.message).not.toContain('page')
  expect(silent.message).toContain('ZABRA_SEED=1')
})

test('an expectation of the ensemble: what it waited for, once', async () => {
  const reportFile = join(folder, 'rest.html')
  await using ensemble = await testEnsemble({ reportFile })
  await ensemble.kill(1)
  await ensemble.kill(2)
  const failed = await failureOf(ensemble.expectLinearizable({ timeoutMs: 3000 }))
  expect(pageNamedIn(failed)).toBe(reportFile)
  expect(readFileSync(reportFile, 'utf8')).toContain('member 1: is down')
  expect(ensemble.explained(failed).message.match(/as a page/g)).toHaveLength(1)
})

test('where no file can be: what failed is told all the same', async () => {
  const blocked = join(folder, 'file')
  await writeFile(blocked, '')
  const reportFile = join(blocked, 'report.html')
  const failed = await failureOf(forEachSeed(1, wishfully, { reportFile }))
  expect(failed.message).toMatch(/came true[^]*no page of the history: /)
})
