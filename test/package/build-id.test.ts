import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { BUILD } from '../../src/browser/build-id.ts'

test('what pages tell each other of their build is the version of the package', async () => {
  const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
  expect(JSON.parse(manifest)).toMatchObject({ version: BUILD })
})
