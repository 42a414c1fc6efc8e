/**
 * Clients in Java, Apache's own with its recipes and Curator, pointed at a server of ours; and
 * every kind of client at an ensemble whose leader is killed under it.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LocalEnsemble } from './local-ensemble.ts'
import {
  clientFile,
  compileJavaClients,
  KAZOO_PYTHON,
  LoneServer,
  runScenario,
} from './scenario.ts'

const LIMIT_MS = 180_000
const JAVA = [
  ...['modes', 'data', 'multi', 'watches', 'acls', 'sessions'],
  ...['lock recipe', 'queue recipe', 'restart', 'ephemerals gone with their session'],
]
const CURATOR = [
  ...['framework', 'transactions', 'cache', 'locks', 'leaders', 'barriers'],
  ...['queue and counters', 'restart'],
]
const directory = mkdtempSync(join(tmpdir(), 'zabra-java-'))
let command: (name: string, hosts: string) => string[]

beforeAll(async () => {
  command = await compileJavaClients(directory)
}, LIMIT_MS)

afterAll(() => rmSync(directory, { recursive: true }))

describe('one server', () => {
  it("serves Apache's client and recipes, and over a restart", { timeout: LIMIT_MS }, async () => {
    await using server = await LoneServer.open()
    expect(await runScenario(server, command('JavaClient', server.hosts))).toEqual(JAVA)
  })

  it('serves Curator and its recipes, and over a restart', { timeout: LIMIT_MS }, async () => {
    await using server = await LoneServer.open()
    expect(await runScenario(server, command('CuratorClient', server.hosts))).toEqual(CURATOR)
  })
})

describe('three servers', () => {
  let three: LocalEnsemble

  beforeAll(async () => {
    three = await LocalEnsemble.open()
  }, LIMIT_MS)

  afterAll(() => three[Symbol.asyncDispose]())

  it("serve Apache's client over kill -9 of the leader", { timeout: LIMIT_MS }, async () => {
    expect(await runScenario(three, command('JavaClient', three.hosts))).toEqual(JAVA)
  })

  it('serve Curator over kill -9 of the leader', { timeout: LIMIT_MS }, async () => {
    expect(await runScenario(three, command('CuratorClient', three.hosts))).toEqual(CURATOR)
  })

  it('serve kazoo over kill -9 of the leader', { timeout: LIMIT_MS }, async () => {
    const kazoo = [KAZOO_PYTHON, clientFile('kazoo_client.py'), three.hosts]
    expect((await runScenario(three, kazoo)).slice(-2)).toEqual([
      'restart',
      'ephemerals gone with their session',
    ])
  })

  it('serve node-zookeeper-client over kill -9 of the leader', { timeout: LIMIT_MS }, async () => {
    const node = [process.execPath, clientFile('node-client.mjs'), three.hosts]
    expect((await runScenario(three, node)).at(-1)).toBe('restart')
  })
})
