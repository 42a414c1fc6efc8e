// setquota, listquota, delquota, and config, as zkCli prints them.
import { expect, test } from 'vitest'
import { EnsembleBench } from '../client/ensemble-bench.ts'
import { TerminalModel } from './terminal-model.ts'

test('quotas are set, counted, listed, changed and taken away', async () => {
  const shell = await new TerminalModel(new EnsembleBench(), { mode: '3.9' }).start()
  const said = async (line: string): Promise<string[]> => shell.outputOf(line)
  await said('create /a hello')
  await said('create /a/b x')
  expect(await said('listquota /a')).toEqual([
    'absolute path is /zookeeper/quota/a/zookeeper_limits',
    'quota for /a does not exist.',
  ])
  expect(await said('delquota /a')).toEqual(['Quota does not exist for /a'])
  expect(await said('setquota -n 5 /a')).toEqual([])
  expect(await said('listquota /a')).toEqual([
    'absolute path is /zookeeper/quota/a/zookeeper_limits',
    'Output quota for /a count=5,bytes=-1=;byteHardLimit=-1;countHardLimit=-1',
    'Output stat for /a count=2,bytes=6',
  ])
  expect(await said('setquota -B 3 /a')).toEqual([
    '[Warning]: the bytes quota you create is less than the existing bytes:6',
  ])
  expect((await said('listquota /a'))[1]).toContain('count=5,bytes=-1=;byteHardLimit=3;')
  expect(await said('delquota -n /a')).toEqual([])
  expect((await said('listquota /a'))[1]).toContain('count=-1,bytes=-1=;byteHardLimit=3;')
  expect(await said('setquota -n 1 /a/b')).toEqual(['/a/b has a parent /a which has a quota'])
  expect(await said('delquota /a')).toEqual([])
  expect(await said('ls /zookeeper/quota')).toEqual(['[]'])
  expect(await said('setquota -b 9 /a/b')).toEqual([])
  expect(await said('setquota -b 9 /a')).toEqual(['/a has a child /a/b which has a quota'])
})

test('what cannot be a quota is refused', async () => {
  const shell = await new TerminalModel(new EnsembleBench(), { mode: '3.9' }).start()
  const said = async (line: string): Promise<string[]> => shell.outputOf(line)
  expect(await said('setquota -n 5 /no')).toEqual(['/no does not exist.'])
  expect(await said('setquota -n 0 /')).toEqual(['the num quota must be greater than zero'])
  expect(await said('setquota -b -1 /')).toEqual([
    'the bytes quota must be greater than or equal to zero',
  ])
  expect(await said('setquota -n many /')).toEqual([
    'NumberFormatException happens when parsing the option value',
  ])
  expect(await said('setquota -n 1 /zookeeper/quota/a')).toEqual([
    'cannot set a quota under the path: /zookeeper/quota',
  ])
  for (const line of ['setquota -n 1 -b 1 /', 'setquota /', 'setquota -n 1']) {
    expect(await said(line)).toEqual(['setquota -n|-b|-N|-B val path'])
  }
})

test('3.4 repeats what it understood, and names the exception', async () => {
  const shell = await new TerminalModel(new EnsembleBench(), { mode: '3.4' }).start()
  await shell.outputOf('create /a x')
  expect(await shell.outputOf('setquota -n 2 /a')).toEqual([
    'Comment: the parts are option -n val 2 path /a',
  ])
  expect(await shell.outputOf('listquota /a')).toEqual([
    'absolute path is /zookeeper/quota/a/zookeeper_limits',
    'Output quota for /a count=2,bytes=-1',
    'Output stat for /a count=1,bytes=1',
  ])
  expect(await shell.outputOf('setquota -n 2 /no')).toEqual([
    'Comment: the parts are option -n val 2 path /no',
    'Command failed: java.lang.IllegalArgumentException: /no does not exist.',
  ])
})
