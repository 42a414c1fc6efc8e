// What zabra costs a page, minified and gzipped, as a user's bundler makes it of the package.
import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { bundledAlone } from '../../demo/build-package.mjs'
import { TOP } from '../tidy/source.ts'

const KB = 1_000

/** The client is counted by itself, and what a page loads only when it needs it. */
const CLIENT = /zookeeper-client\.ts$/
const CREATE_ROOM = /create-room\.ts$/
const MEMBER_TAB = /member-tab\.ts$/
const CLIENT_TAB = /client-tab\.ts$/
const HEALTH = /tab-health\.ts$/

const ROOM = "export { joinRoom } from './browser/room.ts'"

function gzipped(code: string | Uint8Array): number {
  return gzipSync(code, { level: 9 }).length
}

async function costOf(program: string, without: readonly RegExp[] = []): Promise<number> {
  return gzipped(await bundledAlone(program, without))
}

// 0.4 kB of it are reconfigure and the balance over a changed list of servers (S30).
test('the client alone: 15.5 kB', async () => {
  const cost = await costOf("export { ZooKeeperClient } from './client/zookeeper-client.ts'")
  expect(cost).toBeLessThanOrEqual(15.5 * KB)
})

// The aim for page and worker together is 60 kB, and it is missed. When the worker had 57 kB, it
// still had 53 without any of its texts over one word, and as much with every property name cut to
// two letters; since then observers, the flight recorder and the comparison of trees came.
// Names must stay: recordings hold them, and pages and workers of two builds talk to each other.
// So these bounds are what it costs, a little above, and notice what comes in by accident. Quotas,
// limits, local sessions and read-only mode cost the worker 3 kB, a backup as the state 0.6 kB,
// what a Node member's figures count inside the core 0.8 kB, the log on disk read back for who was
// away 1.5 kB, and followers as masters of observers 1.6 kB.
test('a member, without simple-peer and the client: its page', async () => {
  const cost = await costOf(ROOM, [CLIENT, CREATE_ROOM, CLIENT_TAB, HEALTH])
  expect(cost).toBeLessThanOrEqual(22 * KB)
})

test('a member: its worker', async () => {
  const cost = await costOf("import '../worker/member.worker.ts'")
  expect(cost).toBeLessThanOrEqual(80.5 * KB)
})

test('a page that is only a client, without simple-peer and the client itself', async () => {
  const cost = await costOf(ROOM, [CLIENT, CREATE_ROOM, MEMBER_TAB, HEALTH])
  expect(cost).toBeLessThanOrEqual(23.5 * KB)
})

test('the words of the protocol cost a page that uses one of them nothing else', async () => {
  const cost = await costOf("export { CreateMode } from './client.ts'")
  expect(cost).toBeLessThanOrEqual(0.5 * KB)
})

test('simple-peer, beside', async () => {
  const file = await readFile(`${TOP}node_modules/simple-peer/simplepeer.min.js`)
  expect(gzipped(file)).toBeLessThanOrEqual(29 * KB)
})
