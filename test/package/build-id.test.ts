import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { BUILD } from '../../src/browser/build-id.ts'
import { ZABRA_VERSION } from '../../src/edge/admin/product-version.ts'

test('what pages and servers say of their build is the version of the package', async () => {
  const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
  expect(JSON.parse(manifest)).toMatchObject({ version: BUILD })
  expect(ZABRA_VERSION).toBe(BUILD)
})
