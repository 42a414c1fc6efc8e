// `zabra join`: a machine on Node among the tabs, with ZooKeeper's client port.
import { mkdir } from 'node:fs/promises'
import { expect } from 'playwright/test'
import { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import { startServer } from '../../src/edge/serve.ts'
import { TcpTransport } from '../../src/edge/tcp-transport.ts'
import type { NodeMember } from '../../src/playwright/node-member.ts'
import { SIGNAL_PATH } from '../../src/signaling/protocol.ts'
import { fourLetterWord } from '../interop/apache.ts'
import { clientFile, compileJavaClients, KAZOO_PYTHON, runScenario } from '../interop/scenario.ts'
import { ForeignShell } from './foreign-shell.ts'
import { test } from '../../src/playwright/fixtures.ts'
import { leaderOf, type MachinePage, openMachine, PATIENCE_MS, threeOf } from './machine-page.ts'

const text = new TextDecoder()

async function clientOf(node: NodeMember): Promise<ZooKeeperClient> {
  const { clientPort } = await node.serving()
  const members = [{ host: '127.0.0.1', port: clientPort }]
  return ZooKeeperClient.connect({ transport: new TcpTransport({ members }) })
}

/** As of now, not of when the member last heard. */
async function read(client: ZooKeeperClient, path: string): Promise<string> {
  await client.sync(path)
  const { data } = await client.getData(path)
  return text.decode(data ?? new Uint8Array())
}

async function expectMembers(machine: MachinePage, line: string | RegExp): Promise<void> {
  const members = machine.page.locator('#members li')
  await expect(members.filter({ hasText: line })).toHaveCount(1, { timeout: PATIENCE_MS })
}

/** As `npm run signal`: without pages. */
async function signalingAlone(): Promise<AsyncDisposable & { readonly url: string }> {
  const server = await startServer({ port: 0 })
  const url = `ws://localhost:${server.port}${SIGNAL_PATH}`
  return { url, [Symbol.asyncDispose]: () => server.close() }
}

async function doctorsFindings(machine: MachinePage): Promise<readonly string[]> {
  return machine.page.evaluate(async () => {
    const { findings = [] } = (await window.zabra?.examine()) ?? {}
    return findings.map(({ code }) => code)
  })
}

test('a founder on Node: foreign clients, tabs that come and go, kill -9 and a farewell', async ({
  site,
  newBrowser,
  newNode,
}) => {
  test.setTimeout(300_000)
  const browser = await newBrowser()
  const link = site.room()
  const [one, two] = [await openMachine(browser, link), await openMachine(browser, link)]
  const node = await newNode()
  node.start(link)
  await node.expectHere()
  for (const machine of [one, two]) await machine.expectWhole()
  const { sid, clientPort } = await node.serving()
  expect([1, 2, 3]).toContain(sid)
  await expectMembers(one, `machine ${sid} (Node)`)

  await test.step('ZooKeeper’s own command line and the tabs see each other', async () => {
    await using foreign = new ForeignShell(clientPort)
    foreign.type('create /from-java hello')
    await foreign.expectOutput('Created /from-java')
    await one.type('sync /from-java')
    await one.type('get -w /from-java')
    await one.expectLine('hello')
    await two.type('create /from-a-tab 1')
    foreign.type('sync /from-a-tab')
    foreign.type('get -w /from-a-tab')
    await foreign.expectOutput(/^1$/m)
    await two.type('set /from-a-tab 2')
    await foreign.expectOutput('type:NodeDataChanged path:/from-a-tab')
    foreign.type('set /from-java again')
    await one.expectLine(/WatchedEvent state:SyncConnected type:NodeDataChanged/)
  })

  await test.step('kazoo, Curator and their recipes, while both tabs are loaded anew', async () => {
    const hosts = `127.0.0.1:${clientPort}`
    const room = {
      hosts,
      // Without them nobody is served, whoever leads.
      disturb: async () => {
        await Promise.all([one, two].map(({ page }) => page.reload()))
        for (const machine of [one, two]) await machine.expectWhole()
      },
      [Symbol.asyncDispose]: async () => {},
    }
    const kazoo = await runScenario(room, [KAZOO_PYTHON, clientFile('kazoo_client.py'), hosts])
    expect(kazoo.slice(-2)).toEqual(['restart', 'ephemerals gone with their session'])
    const classes = test.info().outputPath('classes')
    await mkdir(classes, { recursive: true })
    const java = await compileJavaClients(classes)
    const curator = [...java('CuratorClient', hosts), 'no-ttl']
    expect((await runScenario(room, curator)).at(-1)).toBe('restart')
  })

  const sharedLink = one.page.url()
  const tabs: MachinePage[] = []
  await test.step('while it stays, both tabs may go: one that comes back is enough', async () => {
    await two.page.close()
    await using client = await clientOf(node)
    await client.create('/with-one-tab', 'kept')
    const said = node.errors.length
    await one.page.goto('about:blank')
    await expect
      .poll(() => node.errors.slice(said), { timeout: PATIENCE_MS })
      .toMatch(/need 2 of 3.*silent.*silent/)
    const back = await openMachine(browser, sharedLink)
    await expect(back.status).toHaveText(/leads.*follow.*away/, { timeout: PATIENCE_MS })
    await back.type('get /with-one-tab')
    await back.expectLine('kept')
    await back.create('/one-tab-was-enough', 'yes')
    expect(await read(client, '/one-tab-was-enough')).toBe('yes')
    expect(await read(client, '/from-a-tab')).toBe('2')
    tabs.push(back, await openMachine(browser, sharedLink))
    for (const tab of tabs) await tab.expectWhole()
  })

  const [left, right] = tabs
  if (left === undefined || right === undefined) throw new Error('two tabs')
  await test.step('kill -9: from its disk it is the same machine and catches up', async () => {
    await node.end('SIGKILL')
    // It may have been the leader.
    await expect(left.status).toHaveText(/leads.*away/, { timeout: PATIENCE_MS })
    await left.create('/while-it-was-dead', '1')
    // No link: its directory knows the room.
    node.start()
    expect((await node.serving()).sid).toBe(sid)
    await using client = await clientOf(node)
    expect(await read(client, '/while-it-was-dead')).toBe('1')
    await left.expectWhole()
    // The broker only introduces.
    await site.stop()
    await client.create('/without-the-broker', '1')
    await right.expectData('/without-the-broker', '1')
  })

  await test.step('asked to end, it says so: nobody waits for its silence', async () => {
    const ending = node.end('SIGTERM')
    await expectMembers(left, new RegExp(`machine ${sid} away`))
    expect(await ending).toBe(0)
  })
})

test('a fourth machine on Node is an observer, and goes on with the next leader', async ({
  ensemble,
  newNode,
}) => {
  test.setTimeout(120_000)
  const room = await ensemble(3)
  const voters = threeOf(room)
  const node = await newNode()
  node.start(room.link)
  expect(await node.serving()).toMatchObject({ sid: 4, role: 'observing' })
  const { clientPort } = await node.serving()
  expect(await fourLetterWord(clientPort, 'srvr')).toContain('Mode: observer')
  await using client = await clientOf(node)
  const leader = leaderOf(voters)
  await expectMembers(leader, 'observer 4 (Node)')
  expect(await doctorsFindings(leader)).not.toContain('page-silent')
  await client.create('/by-the-observer', 'yes')
  await leader.type('get /by-the-observer')
  await leader.expectLine('yes')
  let tell: (path: string | null) => void = () => undefined
  const changed = new Promise<string | null>((resolve) => {
    tell = resolve
  })
  await client.getData('/by-the-observer', { watch: (event) => tell(event.path) })
  await leader.type('set /by-the-observer changed')
  expect(await changed).toBe('/by-the-observer')

  await leader.page.close()
  // The outcome of what was under way is unknown to a client, so it asks again.
  const again = (): Promise<string> =>
    client.setData('/by-the-observer', 'after the leader').then(
      () => 'done',
      (error: unknown) => String(error),
    )
  await expect.poll(again, { timeout: PATIENCE_MS }).toBe('done')
  const [left] = voters.filter((voter) => voter !== leader)
  await left?.expectData('/by-the-observer', 'after the leader')
})

test('a room that Node makes: its link opens in a tab, and its creator may start again', async ({
  site,
  newBrowser,
  newNode,
}) => {
  test.setTimeout(120_000)
  const browser = await newBrowser()
  const node = await newNode()
  await using broker = await signalingAlone()
  const page = `${site.url}/machine.html`
  node.start('--new', '--signaling', broker.url, '--page', page, '--size', '2')
  const link = await node.link()
  expect(link.startsWith(`${page}?room=`)).toBe(true)
  // Before the founding: what names the creator in the link is its key on disk.
  await node.end('SIGKILL')
  const tab = await openMachine(browser, link)
  const invitation = tab.page.getByRole('link', { name: 'Open machine 2' })
  await expect(invitation).toHaveAttribute('href', link)
  await expect(tab.status).toHaveText(/creator of this room is away/, { timeout: PATIENCE_MS })
  node.start()
  await node.expectHere()
  await tab.expectWhole()
  expect((await node.serving()).sid).toBe(1)
  await expectMembers(tab, 'machine 1 (Node)')
  await tab.create('/from-the-tab', '1')
  await using client = await clientOf(node)
  expect(await read(client, '/from-the-tab')).toBe('1')
})
