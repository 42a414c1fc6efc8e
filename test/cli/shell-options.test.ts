// Options of today's commands that few people type (C10, C12, C17, C24–C27).
import { expect, test } from 'vitest'
import { OpCode } from '../../src/core/jute/op-code.ts'
import { EnsembleBench } from '../client/ensemble-bench.ts'
import { settle } from '../client/manual-ticker.ts'
import type { FakeOptions } from '../core/server/fake-ensemble.ts'
import { decodeTxn } from '../../src/core/jute/txn.ts'
import { digestId } from '../../src/core/tree/acl.ts'
import { TerminalModel } from './terminal-model.ts'

async function start(
  options: FakeOptions = {},
): Promise<{ bench: EnsembleBench; shell: TerminalModel }> {
  const bench = new EnsembleBench(options)
  return { bench, shell: await new TerminalModel(bench, { mode: '3.9' }).start() }
}

function events(shell: TerminalModel): string[] {
  return shell
    .lines()
    .filter((line) => line.startsWith('WatchedEvent') && !line.includes('type:None'))
    .map((line) => line.replace(/^.*type:(\S+) path:(\S+) .*$/, '$1 $2'))
}

test('create: containers, times to live, lists, data that is null or empty (C10)', async () => {
  const { bench, shell } = await start({ extendedTypesEnabled: true })
  expect(await shell.outputOf('create -c /c')).toEqual(['Created /c'])
  expect(await shell.outputOf('create -t 60000 /t data')).toEqual(['Created /t'])
  expect(await shell.outputOf('create -s -t 60000 /t-')).toEqual(['Created /t-0000000002'])
  expect(await shell.outputOf('create -s -e /e-')).toEqual(['Created /e-0000000003'])
  expect(await shell.outputOf('create /empty ""')).toEqual(['Created /empty'])
  expect(await shell.outputOf('create /mine x world:anyone:r')).toEqual(['Created /mine'])
  const { tree } = bench.ensemble.leader
  const { containers, ttls } = tree.store.ephemerals
  expect([[...containers], [...ttls]]).toEqual([['/c'], ['/t', '/t-0000000002']])
  expect(tree.node('/e-0000000003')?.ephemeralOwner).toBe(shell.client.sessionId)
  expect([tree.node('/c')?.data, tree.node('/empty')?.data]).toEqual([null, new Uint8Array(0)])
  expect(tree.node('/mine')?.acl.list).toMatchObject([{ perms: 1 }])
  expect(await shell.outputOf('create -t 5 -e /x')).toEqual([
    'TTLs cannot be used with Ephemeral znodes',
  ])
  expect(await shell.outputOf('create -t 5 -c /x')).toEqual([
    'TTLs cannot be used with Container znodes',
  ])
})

test('deleteall: in batches, children first; one by one with -b 0 (C12)', async () => {
  const { bench, shell } = await start()
  const fill = async (): Promise<void> => {
    for (const path of ['/p', '/p/a', '/p/a/x', '/p/b', '/p/c']) await shell.type(`create ${path}`)
  }
  const types = (from: number): number[] =>
    bench.ensemble.log.slice(from).map(({ entry }) => decodeTxn(entry).header.type)
  await fill()
  let from = bench.ensemble.log.length
  expect(await shell.outputOf('deleteall /p -b 2')).toEqual([])
  expect(types(from)).toEqual([OpCode.multi, OpCode.multi, OpCode.multi])
  await fill()
  from = bench.ensemble.log.length
  expect(await shell.outputOf('deleteall -b 0 /p')).toEqual([])
  expect(types(from)).toEqual(Array(5).fill(OpCode.delete))
  expect(await shell.outputOf('ls /')).toEqual(['[zookeeper]'])
  expect(await shell.outputOf('deleteall /none')).toEqual(['Node does not exist: /none'])
  expect(await shell.outputOf('deleteall /zookeeper')).toEqual([
    'Failed to delete some node(s) in the subtree!',
  ])
  expect(await shell.outputOf('deleteall -b x /p')).toEqual(['-b argument must be an int value'])
})

test('setAcl: the Stat, the version, and the whole subtree (C17)', async () => {
  const { bench, shell } = await start()
  for (const path of ['/p', '/p/a', '/p/a/x', '/p/b']) await shell.type(`create ${path}`)
  const stat = await shell.outputOf('setAcl -s /p world:anyone:cdrwa')
  expect([stat.length, stat[7]]).toEqual([11, 'aclVersion = 1'])
  expect(await shell.outputOf('setAcl -v 7 /p world:anyone:r')).toEqual([
    'version No is not valid : /p',
  ])
  expect(await shell.outputOf('setAcl -v 1 /p world:anyone:cdrwa')).toEqual([])
  await shell.type('setAcl /p/a world:anyone:r')
  // What fails is told, and what is below goes on.
  expect(await shell.outputOf('setAcl -R /p world:anyone:ra')).toEqual([
    'Insufficient permission : /p/a',
  ])
  const { tree } = bench.ensemble.leader
  const perms = ['/p', '/p/a', '/p/a/x', '/p/b'].map((path) => tree.node(path)?.acl.list[0]?.perms)
  expect(perms).toEqual([17, 1, 17, 17])
})

test('addWatch in both modes, removewatches of each kind (C26, C27)', async () => {
  const { bench, shell } = await start()
  const other = await bench.connected()
  await shell.type('create /a')
  await shell.type('addWatch -m PERSISTENT /a')
  await other.create('/a/b')
  await other.create('/a/b/c')
  await settle()
  expect(events(shell)).toEqual(['NodeChildrenChanged /a'])
  expect(await shell.outputOf('removewatches /a -r')).toEqual([
    'KeeperErrorCode = No such watcher for /a',
  ])
  await shell.type('removewatches /a -p')
  await shell.type('addWatch -m persistent_recursive /a')
  await other.setData('/a/b/c', 'x')
  await settle()
  expect(events(shell).slice(1)).toEqual(['PersistentWatchRemoved /a', 'NodeDataChanged /a/b/c'])
  await shell.type('removewatches -r /a')
  await shell.type('get -w /a')
  await shell.type('ls -w /a')
  const before = events(shell).length
  await shell.type('removewatches /a -c')
  await shell.type('removewatches /a -d -l')
  expect(events(shell).slice(before)).toEqual(['ChildWatchRemoved /a', 'DataWatchRemoved /a'])
  expect(bench.ensemble.leader.tree.watches.size).toBe(0)
  const usage = await shell.outputOf('addWatch -m ONCE /a')
  expect(usage[0]).toContain('addWatch [-m mode] path')
})

test('config: the text, where clients are served, the Stat, a watch (C24)', async () => {
  const bench = new EnsembleBench({ superDigest: digestId('super:word') })
  const shell = await new TerminalModel(bench, { mode: '3.9' }).start()
  expect(await shell.outputOf('config')).toEqual([''])
  const admin = await bench.connected()
  await admin.addAuthInfo('digest', 'super:word')
  const text =
    'server.1=a:2888:3888:participant;0.0.0.0:2181\nserver.2=b:2888:3888;2182\n' +
    'server.3=c:2888:3888:observer;c:2183\nversion=10a'
  await shell.type('config -w')
  await admin.setData('/zookeeper/config', text)
  await settle()
  expect(events(shell)).toEqual(['NodeDataChanged /zookeeper/config'])
  expect(await shell.outputOf('config')).toEqual(text.split('\n'))
  const stat = await shell.outputOf('config -c -s')
  expect(stat[0]).toBe('10a 0.0.0.0:2181,0.0.0.0:2182,c:2183')
  expect(stat).toHaveLength(12)
})

test('reconfig: its options, and how a server answers that refuses it (C25)', async () => {
  const { shell } = await start()
  const add = 'reconfig -add server.4=d:2888:3888;2181'
  for (const line of [add, 'reconfig -v 10a -s -remove=1,2', 'reconfig -members server.1=A:1:2']) {
    expect(await shell.outputOf(line)).toEqual(['KeeperErrorCode = Reconfig is disabled'])
  }
  expect(await shell.outputOf(`${add} -members x`)).toEqual([
    "Can't use -file or -members together with -add or -remove (mixing incremental and " +
      'non-incremental modes is not allowed)',
  ])
  const both = await shell.outputOf('reconfig -file x -members y')
  expect(both[0]).toContain("Can't use -file and -members together")
  const version = await shell.outputOf(`${add} -v xyz`)
  expect(version).toEqual(['-v must be followed by a long (configuration version)'])
  expect(await shell.outputOf('reconfig -file zoo.cfg')).toEqual([
    'Error processing zoo.cfg: a page reads no files',
  ])
  expect((await shell.outputOf('reconfig -s'))[0]).toContain('reconfig [-s] [-v version]')
  expect((await shell.outputOf('reconfig -add'))[0]).toContain('Missing argument')
  expect((await shell.outputOf('reconfig -nope'))[0]).toContain('Unrecognized option: -nope')
})
