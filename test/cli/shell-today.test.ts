import { describe, expect, test } from 'vitest'
import { EnsembleBench } from '../client/ensemble-bench.ts'
import { settle } from '../client/manual-ticker.ts'
import { TerminalModel } from './terminal-model.ts'

async function terminal(bench = new EnsembleBench()): Promise<TerminalModel> {
  return new TerminalModel(bench, { mode: '3.9' }).start()
}

/** Each command with the lines that it prints. */
async function expectSession(
  shell: TerminalModel,
  session: readonly (readonly [line: string, ...output: string[]])[],
): Promise<void> {
  for (const [line, ...output] of session) {
    expect([line, ...(await shell.outputOf(line))]).toEqual([line, ...output])
  }
}

describe("today's commands", () => {
  test('start, create, ls, get, set, delete', async () => {
    const shell = await terminal()
    expect(shell.lines()).toEqual([
      'Connecting to localhost:2181',
      'Welcome to ZooKeeper!',
      'JLine support is enabled',
      '',
      'WATCHER::',
      '',
      'WatchedEvent state:SyncConnected type:None path:null zxid: -1',
      '[zk: localhost:2181(CONNECTED) 0]',
    ])
    await expectSession(shell, [
      ['ls /', '[zookeeper]'],
      ['create /b', 'Created /b'],
      ['create /a "x y"', 'Created /a'],
      ['create -s /a/n- data', 'Created /a/n-0000000000'],
      ['create /a/n- -s', 'Created /a/n-0000000001'],
      ['ls /', '[a, b, zookeeper]'],
      ['ls -R /a', '/a', '/a/n-0000000000', '/a/n-0000000001'],
      ['get /a', 'x y'],
      ['get /b', 'null'],
      ['set /b z'],
      ['get /b', 'z'],
      ['set /b y -v 9', 'version No is not valid : /b'],
      ['set /b aGk= -b'],
      ['get /b', 'hi'],
      ['get -b /b', 'aGk='],
      ['delete /a', 'Node not empty: /a'],
      ['delete -v 7 /b', 'version No is not valid : /b'],
      ['delete -v 2 /b'],
      ['deleteall /a'],
      ['ls /', '[zookeeper]'],
    ])
  })

  test('the stat block', async () => {
    const shell = await terminal()
    await shell.type('create -e /e abc')
    const stat = await shell.outputOf('stat /e')
    expect(stat).toHaveLength(11)
    expect(stat[0]).toMatch(/^cZxid = 0x1[0-9a-f]+$/)
    expect(stat[1]).toMatch(/^ctime = \w{3} \w{3} \d\d \d\d:\d\d:\d\d CST 2023$/)
    expect(stat.slice(5)).toEqual([
      'cversion = 0',
      'dataVersion = 0',
      'aclVersion = 0',
      `ephemeralOwner = 0x${shell.client.sessionId.toString(16)}`,
      'dataLength = 3',
      'numChildren = 0',
    ])
    expect(await shell.outputOf('get -s /e')).toEqual(['abc', ...stat])
    expect((await shell.outputOf('ls -s /')).slice(0, 1)).toEqual(['[e, zookeeper]'])
    expect((await shell.outputOf('set -s /e x'))[6]).toBe('dataVersion = 1')
  })

  test('errors, in the words of the original (C36, C37)', async () => {
    const shell = await terminal()
    await expectSession(shell, [
      ['create -e /e', 'Created /e'],
      ['create /e', 'Node already exists: /e'],
      ['create /e/c', 'Ephemerals cannot have children: /e/c'],
      ['create /x/y', 'Node does not exist: /x/y'],
      ['get /none', 'Node does not exist: /none'],
      ['stat /none', 'Node does not exist: /none'],
      ['ls none', 'Path must start with / character'],
      ['delete /a/', 'Path must not end with / character'],
      ['create /a//b', 'Invalid path string "/a//b" caused by empty node name specified @3'],
      ['delete /zookeeper', 'Arguments are not valid : /zookeeper'],
      ['delete -v x /e', 'For input string: "x"'],
      ['ls -z /', 'org.apache.commons.cli.UnrecognizedOptionException: Unrecognized option: -z'],
      [
        'delete /e -v',
        'org.apache.commons.cli.MissingArgumentException: Missing argument for option: v',
      ],
      [
        'create -c -e /x',
        '-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.',
      ],
      ['create -t 0 /x', 'ttl must be positive and cannot be larger than: 1099511627775'],
      ['create -t x /x', '-t argument must be a long value'],
      ['ls', 'ls [-s] [-w] [-R] path'],
      ['stat', 'stat [-w] path'],
      [
        'set /e',
        'set path data [-s] [-v version] [-b]',
        ' -b         Supply data in base64 format',
        ' -s         Print znode stats additionally',
        ' -v <arg>   Set with an expected version',
      ],
      [
        'create /acl x bad',
        'bad does not have the form scheme:id:perm',
        'KeeperErrorCode = InvalidACL',
        'Acl is not valid : null',
      ],
    ])
  })

  test('old forms still work, with a warning (C33)', async () => {
    const shell = await terminal()
    await shell.type('create /a x')
    await expectSession(shell, [
      [
        'ls /a true',
        "'ls path [watch]' has been deprecated. Please use 'ls [-w] path' instead.",
        '[]',
      ],
      [
        'get /a true',
        "'get path [watch]' has been deprecated. Please use 'get [-s] [-w] path' instead.",
        'x',
      ],
      [
        'set /a y 99',
        '',
        'WATCHER::',
        '',
        expect.stringMatching(
          /^WatchedEvent state:SyncConnected type:NodeDataChanged path:\/a zxid: \d+$/,
        ) as string,
      ],
      [
        'delete /a 7',
        "'delete path [version]' has been deprecated. " +
          "Please use 'delete [-v version] path' instead.",
        'version No is not valid : /a',
      ],
      ['rmr /a', ...(await usageOf(shell)), 'Command not found: Command not found rmr'],
    ])
  })

  test('help is no command: the list, and then the complaint (C32)', async () => {
    const shell = await terminal()
    const lines = await shell.outputOf('help')
    expect(lines[0]).toBe(
      'ZooKeeper -server host:port -client-configuration properties-file cmd args',
    )
    expect(lines).toContain('\tcreate [-s] [-e] [-c] [-t ttl] path [data] [acl]')
    expect(lines).toContain('\tls [-s] [-w] [-R] path')
    expect(lines).toContain('\texit')
    const names = lines.slice(1, -1).map((line) => line.trim().split(' ')[0] ?? '')
    expect(names).toEqual([...names].sort())
    expect(lines.at(-1)).toBe('Command not found: Command not found help')
  })

  test('watches print, printwatches hides (C3, C22)', async () => {
    const bench = new EnsembleBench()
    const shell = await terminal(bench)
    const other = await bench.connected()
    await shell.type('ls -w /')
    await other.create('/x')
    await settle()
    expect(shell.lines().slice(-4)).toEqual([
      'WATCHER::',
      '',
      expect.stringMatching(
        /^WatchedEvent state:SyncConnected type:NodeChildrenChanged path:\/ zxid: \d+$/,
      ),
      '',
    ])
    await expectSession(shell, [
      ['printwatches', 'printwatches is on'],
      ['printwatches off'],
      ['printwatches', 'printwatches is off'],
    ])
    await shell.type('addWatch /')
    await other.create('/y')
    await settle()
    expect(shell.lines().filter((line) => line === 'WATCHER::')).toHaveLength(2)
    await shell.type('printwatches on')
    await other.create('/z')
    await settle()
    expect(shell.lines().join('\n')).toContain('type:NodeCreated path:/z')
    await expectSession(shell, [
      [
        'removewatches /',
        '',
        'WATCHER::',
        '',
        'WatchedEvent state:SyncConnected type:PersistentWatchRemoved path:/ zxid: -1',
      ],
      ['removewatches /', 'KeeperErrorCode = No such watcher for /'],
    ])
  })

  test('history and redo (C21)', async () => {
    const shell = await terminal()
    await expectSession(shell, [
      ['create -s /n', 'Created /n0000000000'],
      ['history', '0 - create -s /n', '1 - history'],
      ['redo 0', 'Created /n0000000001'],
      ['redo 9', 'Command index out of range'],
      ['redo -1', 'Command index out of range'],
      ['redo x', 'Command index out of range'],
      ['redo 2', 'Created /n0000000002'],
    ])
    for (let i = 0; i < 12; i++) await shell.type('printwatches')
    const lines = await shell.outputOf('history')
    expect(lines).toHaveLength(11)
    expect(lines.at(-1)).toBe('19 - history')
    expect(shell.shell.history[2]).toBe('create -s /n')
    expect(shell.lines().at(-1)).toBe('[zk: localhost:2181(CONNECTED) 20]')
  })

  test('close, connect, quit', async () => {
    const shell = await terminal()
    await shell.type('create -e /e')
    expect(await shell.outputOf('close')).toEqual([
      '',
      'WATCHER::',
      '',
      'WatchedEvent state:Closed type:None path:null zxid: -1',
    ])
    expect(shell.lines().at(-1)).toBe('[zk: localhost:2181(CLOSED) 2]')
    await expectSession(shell, [
      ['ls /', 'Not connected'],
      ['printwatches', 'printwatches is on', 'Not connected'],
    ])
    await shell.type('connect machine-2:2181')
    expect(shell.lines().at(-1)).toBe('[zk: machine-2:2181(CONNECTED) 5]')
    expect(await shell.outputOf('ls /')).toEqual(['[zookeeper]'])
    await shell.shell.run('quit')
    const count = shell.lines().length
    await shell.shell.run('ls /')
    expect(shell.lines()).toHaveLength(count)
  })

  test('sync, ACLs, auth and small questions', async () => {
    const shell = await terminal()
    await expectSession(shell, [
      ['create /a', 'Created /a'],
      ['sync /a', 'Sync is OK'],
      ['getAcl /a', "'world,'anyone", ': cdrwa'],
      ['addauth digest user:secret'],
      ['setAcl /a auth::rwa'],
      ['create /a/b', 'Insufficient permission : /a/b'],
      ['setAcl /a world:anyone:q', 'Unknown perm type: q'],
      ['getAllChildrenNumber /zookeeper', '2'],
      ['create -e /e', 'Created /e'],
      ['getEphemerals', '[/e]'],
      ['getEphemerals /x', '[]'],
      ['version', 'ZooKeeper CLI version: 3.9 (zabra)'],
    ])
    expect((await shell.outputOf('getAcl -s /e')).slice(0, 3)).toEqual([
      "'world,'anyone",
      ': cdrwa',
      expect.stringMatching(/^cZxid/),
    ])
    const whoami = await shell.outputOf('whoami')
    expect(whoami[0]).toBe('Auth scheme: User')
    expect(whoami).toContain('digest: user')
  })

  test('hex dump', async () => {
    const shell = await terminal()
    await shell.type('create /a hello')
    expect(await shell.outputOf('get -x /a')).toEqual([
      '         +-------------------------------------------------+',
      '         |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |',
      '+--------+-------------------------------------------------+----------------+',
      '|00000000| 68 65 6c 6c 6f                                  |hello           |',
      '+--------+-------------------------------------------------+----------------+',
    ])
  })

  test('completion: commands first, then paths (C6)', async () => {
    const shell = await terminal()
    await shell.type('create /apple')
    await shell.type('create /apricot')
    await shell.type('create /apple/pie')
    expect(await shell.shell.complete('g')).toEqual([
      'get',
      'getAcl',
      'getAllChildrenNumber',
      'getEphemerals',
    ])
    expect(await shell.shell.complete('ls /ap')).toEqual(['/apple', '/apricot'])
    expect(await shell.shell.complete('ls -s /apple/')).toEqual(['/apple/pie'])
    expect(await shell.shell.complete('ls /none/x')).toEqual([])
    expect(await shell.shell.complete('ls x')).toEqual([])
    await shell.type('close')
    expect(await shell.shell.complete('ls /ap')).toEqual([])
  })
})

test('with nobody to reach a command fails and the shell lives on', async () => {
  const bench = new EnsembleBench()
  const shell = await terminal(bench)
  bench.cut.add(0)
  bench.lose(0)
  await settle()
  expect(shell.lines().slice(-3)).toEqual([
    '',
    'WatchedEvent state:Disconnected type:None path:null zxid: -1',
    '',
  ])
  expect(shell.shell.prompt()).toBe('[zk: localhost:2181(CONNECTING) 0] ')
  const run = shell.outputOf('ls /')
  await bench.pass(6000)
  expect(await run).toEqual(['KeeperErrorCode = ConnectionLoss for /'])
  bench.cut.clear()
  await bench.pass(4000)
  expect(await shell.outputOf('ls /')).toEqual(['[zookeeper]'])
})

async function usageOf(shell: TerminalModel): Promise<string[]> {
  return (await shell.outputOf('help')).slice(0, -1)
}
