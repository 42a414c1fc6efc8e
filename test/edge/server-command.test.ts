/** `zabra server zoo.cfg` as zkServer.sh and a service manager use it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { ownPorts } from '../own-ports.ts'

const TOP = fileURLToPath(new URL('../..', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'zabra-server-'))
const pids = new Set<number>()

afterAll(() => {
  for (const pid of pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  rmSync(directory, { recursive: true })
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function zabra(...args: readonly string[]): ChildProcess {
  const program = join(TOP, 'src/edge/zabra.mjs')
  // As under npm, with which a server in the background must not end.
  const env = { ...process.env, npm_command: 'exec' }
  const child = spawn(process.execPath, [program, ...args], { cwd: TOP, env })
  if (child.pid !== undefined) pids.add(child.pid)
  return child
}

async function run(...args: readonly string[]): Promise<{ code: number | null; said: string }> {
  const child = zabra(...args)
  let said = ''
  child.stdout?.on('data', (chunk) => (said += String(chunk)))
  child.stderr?.on('data', (chunk) => (said += String(chunk)))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, said }
}

function config(name: string, lines: readonly string[]): string {
  const path = join(directory, `${name}.cfg`)
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}

async function served(child: ChildProcess): Promise<{ pid: number; clientPort: number }> {
  for await (const line of createInterface({ input: child.stdout! })) {
    if (line.startsWith('{"sid"')) return JSON.parse(line) as { pid: number; clientPort: number }
  }
  throw new Error('the server said nothing')
}

function containing(text: string): string {
  return expect.stringContaining(text) as string
}

describe('zabra server', () => {
  it('in the foreground: warns, serves, survives SIGKILL, ends on SIGTERM as Java', async () => {
    const path = config('alone', [
      `dataDir=${join(directory, 'alone')}`,
      'clientPort=0',
      'clientPortAddress=127.0.0.1',
      'admin.enableServer=false',
      'nonsense=1',
    ])
    const first = zabra('server', path, '-Dzookeeper.snapCount=10')
    let warned = ''
    first.stderr?.on('data', (chunk) => (warned += String(chunk)))
    const { clientPort } = await served(first)
    expect(warned).toContain('nonsense is no key')
    const host = `127.0.0.1:${clientPort}`
    expect(await run('cli', '-server', host, 'create', '/kept', 'x')).toMatchObject({ code: 0 })
    first.kill('SIGKILL')
    await once(first, 'close')
    const second = zabra('server', 'start-foreground', path)
    const again = await served(second)
    const got = await run('cli', '-server', `127.0.0.1:${again.clientPort}`, 'ls', '/')
    expect(got.said).toContain('[kept, zookeeper]')
    second.kill('SIGTERM')
    expect(await once(second, 'close')).toEqual([143, null])
  })

  it('in the background: start, already running, stop, nothing to stop', async () => {
    const data = join(directory, 'back')
    const [clientPort = 0] = await ownPorts(1)
    const path = config('back', [
      `dataDir=${data}`,
      `clientPort=${clientPort}`,
      'clientPortAddress=127.0.0.1',
      'admin.enableServer=false',
    ])
    expect(await run('server', 'start', path)).toEqual({
      code: 0,
      said: 'Starting zookeeper ... STARTED\n',
    })
    const pid = Number(readFileSync(join(data, 'zookeeper_server.pid'), 'utf8'))
    pids.add(pid)
    const [again, running] = await Promise.all([
      run('server', 'start', path),
      run('server', 'status', path),
    ])
    expect(running).toMatchObject({ code: 0, said: containing('Mode: standalone\n') })
    expect(again).toEqual({ code: 1, said: containing(`${pid}`) })
    const stopped = await run('server', 'stop', path)
    expect(stopped).toEqual({ code: 0, said: 'Stopping zookeeper ... STOPPED\n' })
    expect(isAlive(pid)).toBe(false)
    expect(existsSync(join(data, 'zookeeper_server.pid'))).toBe(false)
    const [nothing, down] = await Promise.all([
      run('server', 'stop', path),
      run('server', 'status', path),
    ])
    expect(nothing).toMatchObject({ code: 0, said: containing('no zookeeper') })
    expect(down).toMatchObject({ code: 1, said: containing('probably not running') })
  })

  it('says why it does not start, with ZooKeeper’s exit codes', async () => {
    const file = config('file', ['x'])
    const wrong = config('wrong', [`dataDir=${directory}`, 'clientPort=many'])
    const unusable = config('unusable', [`dataDir=${file}`, 'clientPort=0'])
    const [usage, missing, ofKey, ofFolder, background] = await Promise.all([
      run('server'),
      run('server', join(directory, 'no.cfg')),
      run('server', wrong),
      run('server', unusable),
      run('server', 'start', wrong),
    ])
    expect(usage).toMatchObject({ code: 2, said: containing('usage:') })
    expect(missing).toMatchObject({ code: 2, said: containing('no such file') })
    expect(ofKey).toMatchObject({ code: 2, said: containing('clientPort=many') })
    expect(ofFolder).toMatchObject({ code: 3, said: containing('ENOTDIR') })
    expect(background).toMatchObject({ code: 2, said: containing('clientPort=many') })
  })
})
