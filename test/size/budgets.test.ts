// What zabra costs a page, minified and gzipped, as a user's bundler makes it of the package.
import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { bundledAlone } from '../../demo/build-package.mjs'
import { TOP } from '../tidy/source.ts'

const KB = 1_000

function gzipped(code: string | Buffer): number {
  return gzipSync(code, { level: 9 }).length
}

async function costOf(code: string, without: readonly RegExp[] = []): Promise<number> {
  return gzipped(await bundledAlone(code, without))
}

test('the client alone', async () => {
  const cost = await costOf("export { ZooKeeperClient } from './client/zookeeper-client.ts'")
  expect(cost).toBeLessThanOrEqual(15 * KB)
})

test('a member: its page and its worker, without simple-peer and the client', async () => {
  const page = await costOf(
    "export { Room } from './browser/room.ts'\nexport { MemberTab } from './browser/member-tab.ts'",
    [
      /client\/zookeeper-client\.ts$/,
      /(member-tab|client-tab|create-room)\.ts$(?<=\.\/[\w-]+\.ts)/,
    ],
  )
  const worker = await costOf("import '../worker/member.worker.ts'")
  console.log(page, worker)
  expect(page).toBeLessThanOrEqual(20 * KB)
  expect(worker).toBeLessThanOrEqual(66 * KB)
})

test('a page that is only a client, without simple-peer and the client', async () => {
  const cost = await costOf("export { ClientTab } from './browser/client-tab.ts'")
  console.log(cost)
  expect(cost).toBeLessThanOrEqual(20 * KB)
})

test('simple-peer, beside', async () => {
  const file = await readFile(`${TOP}node_modules/simple-peer/simplepeer.min.js`)
  expect(gzipped(file)).toBeLessThanOrEqual(29 * KB)
})
