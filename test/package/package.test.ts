// The packed tarball as its users meet it: exports, types, and the program of the README.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { installInto, packInto, TOP, type Packed } from './packed.ts'
import { isInReadme, readmeProgram, shownInReadme } from './readme-program.ts'

const run = promisify(execFile)

/** A bound on hanging: building, packing and installing on two busy cores. */
const SETUP_LIMIT_MS = 120_000

let folder = ''
let consumer = ''
let packed: Packed = { tarball: '', files: [] }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zabra-package-'))
  packed = await packInto(folder)
  consumer = join(folder, 'consumer')
  await installInto(consumer, packed.tarball)
}, SETUP_LIMIT_MS)

afterAll(async () => {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

/** What a consumer's compiler says to programs that it gets all at once: they cost seconds each. */
async function complaints(
  programs: readonly string[],
  resolution: 'bundler' | 'nodenext',
): Promise<readonly string[]> {
  const files = programs.map((_program, index) => `app${index}.mts`)
  for (const [index, code] of programs.entries()) {
    await writeFile(join(consumer, `app${index}.mts`), `${code}\nexport {}\n`)
  }
  const tsc = join(TOP, 'node_modules/@typescript/native/bin/tsc')
  const module = resolution === 'bundler' ? 'esnext' : 'nodenext'
  const options = [
    ...['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', 'false'],
    ...['--target', 'es2022', '--lib', 'es2022,dom', '--types', '', '--pretty', 'false'],
    ...['--module', module, '--moduleResolution', resolution, ...files],
  ]
  const outcome = await run(process.execPath, [tsc, ...options], { cwd: consumer }).then(
    () => ({ stdout: '' }),
    (error: { readonly stdout?: string }) => error,
  )
  if (outcome.stdout === undefined) throw new Error('the compiler did not run', { cause: outcome })
  const lines = outcome.stdout.split('\n').filter((line) => line.includes('error TS'))
  // What is said of no program is said of the package.
  expect(lines.filter((line) => !line.startsWith('app'))).toEqual([])
  return files.map((file) => lines.filter((line) => line.startsWith(`${file}(`)).join('\n'))
}

describe('the tarball', () => {
  test('holds the library, and no source, test or page', () => {
    const strange = packed.files.filter(
      (path) =>
        !/^(lib\/[\w-]+\.(js|js\.map|d\.ts)|package\.json|README\.md|LICENSE)$/.test(path) &&
        !/^lib\/empty-app\/(index\.html|empty-app\.js|worker\.js)$/.test(path) &&
        path !== 'src/edge/zabra.mjs',
    )
    expect(strange).toEqual([])
    const entries = ['index', 'client', 'worker', 'testing', 'worker-with-faults', 'playwright']
    for (const name of entries) {
      expect(packed.files).toContain(`lib/${name}.js`)
      expect(packed.files).toContain(`lib/${name}.d.ts`)
    }
  })

  test('needs no other package, and builds itself before it is packed', async () => {
    const text = await readFile(join(consumer, 'node_modules/zabra/package.json'), 'utf8')
    const manifest = JSON.parse(text) as Record<string, Record<string, unknown> | undefined>
    expect(manifest['dependencies'] ?? {}).toEqual({})
    // WebRTC for `zabra join`, which pages and most servers never need; and the runner of tests.
    const optional = { 'node-datachannel': { optional: true }, playwright: { optional: true } }
    expect(manifest['peerDependenciesMeta']).toEqual(optional)
    expect(Object.keys(manifest['peerDependencies'] ?? {})).toEqual(Object.keys(optional))
    expect(manifest['scripts']?.['prepack']).toBe('npm run build:package')
  })

  test('what is for tests is in nothing that an app loads in production', async () => {
    const lib = join(consumer, 'node_modules/zabra/lib')
    const forTests = /^(playwright|playwright-page|worker-with-faults|testing)\.js\.map$/
    const maps = (await readdir(lib)).filter((name) => name.endsWith('.map'))
    const mixed: string[] = []
    for (const name of maps.filter((one) => !forTests.test(one))) {
      const { sources } = JSON.parse(await readFile(join(lib, name), 'utf8')) as SourceMap
      mixed.push(...sources.filter((path) => /src\/(faults|playwright|testing)\//.test(path)))
    }
    expect(mixed).toEqual([])
    const { sources } = JSON.parse(
      await readFile(join(lib, 'worker-with-faults.js.map'), 'utf8'),
    ) as SourceMap
    expect(sources.filter((path) => path.includes('src/faults/')).length).toBeGreaterThan(3)
  })

  test('publint has nothing to say', async () => {
    const pack = { tarball: await arrayBufferOf(packed.tarball) }
    const { messages } = await publint({ pack, strict: true })
    expect(messages).toEqual([])
  })

  test('are the types wrong? They are not, for any way of resolving that knows ESM', async () => {
    const found = await checkPackage(
      createPackageFromTarballData(new Uint8Array(await arrayBufferOf(packed.tarball))),
    )
    if (found.types === false) throw new Error('no types were found')
    // The package is ESM only and has `exports`, as its README says: no node10, no require.
    const wanted = found.problems.filter((problem) => {
      const kind = 'resolutionKind' in problem ? problem.resolutionKind : null
      return kind !== 'node10' && !(kind === 'node16-cjs' && problem.kind === 'CJSResolvesToESM')
    })
    expect(wanted).toEqual([])
    expect(Object.keys(found.entrypoints)).toEqual(
      expect.arrayContaining([
        ...['.', './client', './worker', './testing', './worker-with-faults', './playwright'],
      ]),
    )
  })

  test('can be loaded where there is no page, and says what it needs', async () => {
    const code = `
      import { joinRoom } from 'zabra'
      import { ZooKeeperClient, CreateMode } from 'zabra/client'
      const why = await joinRoom({ link: 'https://example.org/?room=a#secret' }).catch((e) => e)
      console.log(typeof ZooKeeperClient, CreateMode.EPHEMERAL.flag, why.name, why.code)
    `
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], {
      cwd: consumer,
    })
    expect(stdout.trim()).toBe('function 1 RoomError unsupported')
  })

  test('its ensemble in memory finds the hole in a lock, and none in a fenced one', async () => {
    const vitest = join(TOP, 'node_modules/vitest')
    await symlink(vitest, join(consumer, 'node_modules/vitest'))
    for (const name of ['lock.js', 'lock.test.js']) {
      expect(await isInReadme(join(TOP, 'demo/example-lock', name)), name).toBe(true)
    }
    const lock = join(consumer, 'lock')
    await cp(join(TOP, 'demo/example-lock'), lock, { recursive: true })
    const program = [join(vitest, 'vitest.mjs'), 'run', '--root', lock, '--testTimeout', '50000']
    const env = { ...process.env, NO_COLOR: '1', CI: '1' }
    const naive = await run(process.execPath, program, { env }).catch((error: unknown) => error)
    expect(naive).toMatchObject({ code: 1 })
    const { stdout, stderr } = naive as { readonly stdout: string; readonly stderr: string }
    expect(stdout + stderr).toMatch(/seed \d+; the same again: ZABRA_SEED=\d+/)
    expect(stdout + stderr).toMatch(/expected \d to be \d/)
    for (const line of await shownInReadme('AssertionError: expected')) {
      expect(stdout + stderr).toContain(line)
    }
    await cp(join(lock, 'fenced-lock.js'), join(lock, 'lock.js'))
    await run(process.execPath, program, { env })
  })

  test('its ensemble needs no runner, and no process stays open for one left open', async () => {
    const code = `
      import { testEnsemble } from 'zabra/testing'
      import { isZooKeeperError, ZooKeeperClient } from 'zabra/client'
      const ensemble = await testEnsemble({ size: 5, seed: 6 })
      const client = await ensemble.client()
      const error = await client.getData('/none').catch((error) => error)
      console.log(client instanceof ZooKeeperClient, isZooKeeperError(error), ensemble.seed)
      client.watch('/', { kind: 'children' })
      ensemble.clock.setInterval(() => client.exists('/a').catch(() => {}), 60_000)
    `
    const program = ['--input-type=module', '-e', code]
    const { stdout, stderr } = await run(process.execPath, program, { cwd: consumer })
    expect(stdout.trim()).toBe('true true 6')
    expect(stderr).toContain('time stands still after a quarter of an hour')
  })

  test('Node’s own runner takes it too, and is told the seed of a failure', async () => {
    const code = `
      import assert from 'node:assert/strict'
      import { test } from 'node:test'
      import { forEachSeed } from 'zabra/testing'

      const answersAfterPartition = (wanted) => () =>
        forEachSeed(2, async (ensemble) => {
          const client = await ensemble.client({ member: 1 })
          await ensemble.partition([1, client], [2, 3])
          const outcome = await client.create('/a').then(() => 'made', ({ name }) => name)
          assert.equal(outcome, wanted)
        })
      test('right', answersAfterPartition('ConnectionLoss'))
      test('wrong', answersAfterPartition('made'))
    `
    const file = join(consumer, 'partition.test.mjs')
    await writeFile(file, code)
    const program = ['--test', '--test-reporter', 'tap', file]
    const outcome = await run(process.execPath, program, { cwd: consumer }).catch(
      (error: unknown) => error,
    )
    expect(outcome).toMatchObject({ code: 1 })
    const { stdout } = outcome as { readonly stdout: string }
    expect(stdout).toMatch(/^# pass 1\n# fail 1$/m)
    expect(stdout).toMatch(/seed \d+; the same again: ZABRA_SEED=\d+/)
  })

  test('its command serves and asks a server, with nothing else installed', async () => {
    const program = join(consumer, 'node_modules/.bin/zabra')
    const cfg = join(folder, 'zoo.cfg')
    await writeFile(
      cfg,
      [
        `dataDir=${join(folder, 'data')}`,
        'clientPort=0',
        'clientPortAddress=127.0.0.1',
        'admin.serverPort=0',
        'admin.serverAddress=127.0.0.1',
      ].join('\n'),
    )
    const server = spawn(program, ['server', cfg], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      let port = 0
      for await (const line of createInterface({ input: server.stdout })) {
        if (!line.startsWith('{"sid"')) continue
        port = (JSON.parse(line) as { clientPort: number }).clientPort
        break
      }
      const { stdout } = await run(program, ['cli', '-server', `127.0.0.1:${port}`, 'ls', '/'])
      expect(stdout).toContain('[zookeeper]')
      server.kill('SIGTERM')
      expect(await once(server, 'exit')).toEqual([143, null])
    } finally {
      server.kill('SIGKILL')
    }
  })

  test('its signaling server is one command', async () => {
    const program = join(consumer, 'node_modules/.bin/zabra-signal')
    const outcome = await run(program, ['--nonsense']).catch((error: unknown) => error)
    expect(outcome).toMatchObject({ code: 2, stderr: expect.stringContaining('--port') as string })
  })
})

describe('the types', () => {
  const good = `
    import { createRoom, joinRoom, type Room, type RoomStatus, RoomError } from 'zabra'
    import { CreateMode, type Stat, ZooKeeperClient, isZooKeeperError } from 'zabra/client'
    import { retry } from 'zabra/client'
    import { forEachSeed, testEnsemble, type TestEnsemble } from 'zabra/testing'

    type Is<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
    const sure = <T extends true>(): T | undefined => undefined

    const link: string = await createRoom({ size: 3 })
    await using room = await joinRoom({ link, onStatus: (status) => void status.text })
    sure<Is<typeof room, Room>>()
    sure<Is<typeof room.status, RoomStatus>>()
    sure<Is<RoomStatus['phase'] & 'member', 'member'>>()
    await using client = await room.openClient({ signal: room.ended, timeoutMs: 1_000 })
    sure<Is<typeof client, ZooKeeperClient>>()
    const path: string = await client.create('/a', 'x', { mode: CreateMode.EPHEMERAL })
    const { data, stat } = await client.getData(path)
    sure<Is<typeof data, Uint8Array | null>>()
    sure<Is<typeof stat, Stat>>()
    const version: number = (await client.exists('/a'))?.version ?? -1
    for await (const event of client.watch('/a', { kind: 'data' })) {
      const zxid: bigint = event.zxid
      void [zxid, version]
    }
    await forEachSeed(10, async (ensemble: TestEnsemble) => {
      const tab: ZooKeeperClient = await ensemble.client({ member: 1, sessionTimeoutMs: 4000 })
      await ensemble.partition([1, tab], [2, 3])
      await ensemble.delay([1, 20], [2, 3])
      await ensemble.until(async () => (await tab.exists('/a')) === null, { timeoutMs: 5_000 })
      using _timers = ensemble.clock.install()
      await ensemble.expectLinearizable()
    })
    await using ensemble = await testEnsemble({ size: 5, observers: 1, seed: 3 })
    await ensemble.kill(ensemble.leader())
    await retry(() => client.sync('/'), { ticker: ensemble.clock })
    new ZooKeeperClient({ ...ensemble.clientOptions(), chroot: '/app' })
    const worker = () => new Worker(new URL('zabra/worker', import.meta.url), { type: 'module' })
    const guest = await joinRoom({ role: 'client', link: room.link })
    sure<Is<typeof guest.status.refusals, readonly string[]>>()
    await joinRoom({ worker }).catch((error: unknown) => {
      if (error instanceof RoomError && error.code === 'timeout') return
      if (isZooKeeperError(error)) return void error.outcomeUnknown
      throw error
    })
  `

  const bad = [
    "import { joinRoom } from 'zabra'\nawait joinRoom({ role: 'king' })",
    "import { createRoom } from 'zabra'\nawait createRoom({ size: '3' })",
    "import { joinRoom } from 'zabra'\nawait joinRoom({ role: 'client', identity: null })",
    "import { Room } from 'zabra'\nnew Room({})",
    "import { ZooKeeperClient } from 'zabra/client'\nnew ZooKeeperClient({})",
    "import { MemberMachine } from 'zabra'\nvoid MemberMachine",
    "import { joinRoom } from 'zabra/lib/index.js'\nvoid joinRoom",
    "import { testEnsemble } from 'zabra/testing'\nawait testEnsemble({ size: 'three' })",
    "import { TestEnsemble } from 'zabra/testing'\nnew TestEnsemble({}, 1)",
  ]

  test('good programs pass, the README’s among them, and bad ones do not', async () => {
    const [ofGood, ofReadme, ...ofBad] = await complaints(
      [good, await readmeProgram(), ...bad],
      'bundler',
    )
    expect([ofGood, ofReadme]).toEqual(['', ''])
    expect(ofBad.map((text) => text !== '')).toEqual(bad.map(() => true))
  })

  test('as well with the way Node resolves', async () => {
    expect(await complaints([good], 'nodenext')).toEqual([''])
  })
})

interface SourceMap {
  readonly sources: readonly string[]
}

async function arrayBufferOf(path: string): Promise<ArrayBuffer> {
  return new Uint8Array(await readFile(path)).buffer
}
