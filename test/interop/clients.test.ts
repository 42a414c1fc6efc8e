/** Clients that others wrote, pointed at a server of ours. */
import { describe, expect, it } from 'vitest'
import {
  C_CLIENT,
  clientFile,
  KAZOO_PYTHON,
  LoneServer,
  runScenario,
  typeTo,
  ZK_CLI,
} from './scenario.ts'

const LIMIT_MS = 120_000

describe('one server', () => {
  it('serves kazoo and its recipes, and over a restart', { timeout: LIMIT_MS }, async () => {
    await using server = await LoneServer.open()
    const said = await runScenario(server, [
      KAZOO_PYTHON,
      clientFile('kazoo_client.py'),
      server.hosts,
    ])
    expect(said).toEqual([
      ...['data', 'modes', 'watches', 'transactions', 'acls'],
      ...['locks', 'elections', 'queues', 'barriers', 'groups', 'restart'],
      'ephemerals gone with their session',
    ])
  })

  it('serves node-zookeeper-client, and over a restart', { timeout: LIMIT_MS }, async () => {
    await using server = await LoneServer.open()
    const said = await runScenario(server, [
      process.execPath,
      clientFile('node-client.mjs'),
      server.hosts,
    ])
    expect(said).toEqual(['data', 'modes', 'watches', 'transactions', 'acls', 'restart'])
  })

  it('serves the C client', { timeout: LIMIT_MS }, async () => {
    await using server = await LoneServer.open()
    const text = await typeTo(
      [C_CLIENT, '-h', server.hosts],
      [
        ...['create /c', 'create +e /c/e', 'create +es /c/s-', 'create +c /c/box'],
        ...['create +t=100000 /c/ttl', 'create /c', 'set /c hello', 'get /c', 'ls2 /c'],
        ...['addauth digest ann:secret', 'wexists /c/e', 'delete /c/e', 'exists /c/e'],
        ...['delete /c', 'sync /c', 'get /nothing'],
      ],
      { awaited: '/nothing: rc = -101', last: 'quit' },
    )
    expect(text).toContain('[/c/s-]: rc = 0\n\tname = /c/s-0000000001\n')
    // NODEEXISTS, NONODE, NOTEMPTY.
    expect(text).toContain('[/c]: rc = -110\n')
    expect(text).toContain('Error -101 for /c/e\n')
    expect(text).toContain('/c: rc = -111\n')
    expect(text).toContain(' value_len = 5\nhello\n')
    expect(text).toMatch(/\/c: rc = 0\n\te\n\ts-0000000001\n\tbox\n\tttl\n/)
    expect(text).toMatch(/Watcher DELETED_EVENT state = CONNECTED_STATE for path \/c\/e/)
  })

  it(
    "serves zkCli.sh, and prints what Apache's server has it print",
    {
      timeout: LIMIT_MS,
    },
    async () => {
      await using server = await LoneServer.open()
      const text = await typeTo(
        [ZK_CLI, '-server', server.hosts],
        [
          ...['create /app one', 'create -s /app/s- x', 'create -e /app/e x', 'create -c /app/box'],
          ...['create -t 100000 /app/ttl x', 'create /app', 'get -s /app', 'set -s -v 0 /app two'],
          ...['set -v 0 /app three', 'ls -R /app', 'stat /app/none', 'getAcl /app'],
          ...['addauth digest ann:secret', 'setAcl /app/box auth:ann:cdrwa', 'getAcl /app/box'],
          ...['get -w /app', 'set /app three', 'addWatch /app', 'delete /app/e', 'getEphemerals'],
          ...['setquota -n 10 /app', 'listquota /app', 'delquota -n /app', 'sync /app', 'whoami'],
          ...['delete /app', 'deleteall /app', 'ls /', 'version', 'quit'],
        ],
      )
      const expected = [
        ...['Created /app', 'Created /app/s-0000000000', 'Created /app/e', 'Created /app/box'],
        ...['Created /app/ttl', 'Node already exists: /app', 'dataLength = 3', 'dataVersion = 1'],
        ...['version No is not valid : /app', '/app/box', '/app/s-0000000000'],
        ...[
          'Node does not exist: /app/none',
          "'world,'anyone",
          ': cdrwa',
          "'digest,'ann:7RJfAeIvrl",
        ],
        ...['WatchedEvent state:SyncConnected type:NodeDataChanged path:/app'],
        ...['WatchedEvent state:SyncConnected type:NodeDeleted path:/app/e'],
        ...['count=10', 'Sync is OK', 'digest: ann', 'Node not empty: /app', '[zookeeper]'],
      ]
      const missing = expected.filter((words) => !text.includes(words))
      expect(missing, text).toEqual([])
    },
  )
})
