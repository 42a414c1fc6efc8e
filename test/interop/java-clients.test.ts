/** Clients in Java, pointed at a server of ours: Apache's own with its recipes, and Curator. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compileJavaClients, LoneServer, runScenario } from './scenario.ts'

const LIMIT_MS = 120_000
const directory = mkdtempSync(join(tmpdir(), 'zabra-java-'))
let command: (name: string, hosts: string) => string[]

beforeAll(async () => {
  command = await compileJavaClients(directory)
}, LIMIT_MS)

afterAll(() => rmSync(directory, { recursive: true }))

describe('one server', () => {
  it("serves Apache's client and recipes, and over a restart", { timeout: LIMIT_MS }, async () => {
    await using server = await LoneServer.open()
    expect(await runScenario(server, command('JavaClient', server.hosts))).toEqual([
      ...['modes', 'data', 'multi', 'watches', 'acls', 'sessions'],
      ...['lock recipe', 'queue recipe', 'restart', 'ephemerals gone with their session'],
    ])
  })

  it('serves Curator and its recipes, and over a restart', { timeout: LIMIT_MS }, async () => {
    await using server = await LoneServer.open()
    expect(await runScenario(server, command('CuratorClient', server.hosts))).toEqual([
      ...['framework', 'transactions', 'cache', 'locks', 'leaders', 'barriers'],
      ...['queue and counters', 'restart'],
    ])
  })
})
