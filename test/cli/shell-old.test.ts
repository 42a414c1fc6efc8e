import { expect, test } from 'vitest'
import { EnsembleBench } from '../client/ensemble-bench.ts'
import { settle } from '../client/manual-ticker.ts'
import { TerminalModel } from './terminal-model.ts'

async function terminal(bench = new EnsembleBench()): Promise<TerminalModel> {
  return new TerminalModel(bench, { mode: '3.4' }).start()
}

test('the forms of 3.4 and their outputs', async () => {
  const shell = await terminal()
  expect(await shell.outputOf('create /a x')).toEqual(['Created /a'])
  // Data is required, and without it nothing is said.
  expect(await shell.outputOf('create /b')).toEqual([])
  expect(await shell.outputOf('create -s -e /a/n x')).toEqual(['Created /a/n0000000000'])
  expect(await shell.outputOf('ls /a')).toEqual(['[n0000000000]'])
  const ls2 = await shell.outputOf('ls2 /a')
  expect(ls2[0]).toBe('[n0000000000]')
  expect(ls2).toHaveLength(12)
  const get = await shell.outputOf('get /a')
  expect(get[0]).toBe('x')
  expect(get).toHaveLength(12)
  expect((await shell.outputOf('set /a y'))[6]).toBe('dataVersion = 1')
  expect((await shell.outputOf('set /a y 1'))[6]).toBe('dataVersion = 2')
  expect(await shell.outputOf('set /a y 1')).toEqual(['version No is not valid : /a'])
  expect((await shell.outputOf('setAcl /a world:anyone:cdrwa'))[7]).toBe('aclVersion = 1')
  expect(await shell.outputOf('getAcl /a')).toEqual(["'world,'anyone", ': cdrwa'])
  expect(await shell.outputOf('delete /a 0')).toEqual(['version No is not valid : /a'])
  expect(await shell.outputOf('rmr /a')).toEqual([])
  expect(await shell.outputOf('stat /a')).toEqual(['Node does not exist: /a'])
  expect(await shell.outputOf('sync /')).toEqual(['Sync returned 0'])
})

test('any third word means watch, also false (C34)', async () => {
  const bench = new EnsembleBench()
  const shell = await terminal(bench)
  const other = await bench.connected()
  await shell.type('ls / false')
  await shell.type('stat /later whatever')
  await other.create('/later')
  await settle()
  const events = shell.lines().filter((line) => line.startsWith('WatchedEvent'))
  expect(events.slice(1)).toEqual([
    'WatchedEvent state:SyncConnected type:NodeCreated path:/later',
    'WatchedEvent state:SyncConnected type:NodeChildrenChanged path:/',
  ])
})

test('errors of 3.4', async () => {
  const shell = await terminal()
  expect(await shell.outputOf('ls x')).toEqual([
    'Command failed: java.lang.IllegalArgumentException: Path must start with / character',
  ])
  expect(await shell.outputOf('delete / x')).toEqual([
    'Command failed: java.lang.NumberFormatException: For input string: "x"',
  ])
  await shell.type('create /a x')
  await shell.type('setAcl /a world:anyone:ra')
  expect(await shell.outputOf('create /a/b x')).toEqual(['Authentication is not valid : /a/b'])
  expect(await shell.outputOf('redo 99')).toEqual(['Command index out of range'])
})

test('an unknown command and help print the list in the order of 3.4 (C7)', async () => {
  const shell = await terminal()
  const lines = await shell.outputOf('help')
  expect(lines).toEqual(await shell.outputOf('nonsense'))
  expect(lines[0]).toBe('ZooKeeper -server host:port cmd args')
  const names = lines.slice(1).map((line) => line.trim().split(' ')[0])
  expect(names.filter((name) => !String(name).includes('quota'))).toEqual(
    (
      'stat set ls ls2 setAcl history redo printwatches delete sync rmr get create addauth quit ' +
      'getAcl close connect'
    ).split(' '),
  )
  expect(lines).toContain('\tcreate [-s] [-e] path data acl')
})

test('closing says nothing, quitting says so', async () => {
  const shell = await terminal()
  expect(await shell.outputOf('close')).toEqual([])
  expect(await shell.outputOf('history')).toEqual(['0 - close', '1 - history', 'Not connected'])
  await shell.shell.run('quit')
  expect(shell.lines().join('\n')).toContain('Quitting...')
})
