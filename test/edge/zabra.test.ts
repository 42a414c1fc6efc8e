/** The `zabra` command as a person starts it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it, vi } from 'vitest'

const TOP = fileURLToPath(new URL('../..', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'zabra-command-'))
const children = new Set<ChildProcess>()

afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(directory, { recursive: true })
})

function start(...args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [join(TOP, 'src/edge/zabra.mjs'), ...args], { cwd: TOP })
  children.add(child)
  return child
}

async function run(
  args: readonly string[],
  input = '',
): Promise<{ code: number | null; out: string; err: string }> {
  const child = start(...args)
  let [out, err] = ['', '']
  child.stdout?.on('data', (chunk) => (out += String(chunk)))
  child.stderr?.on('data', (chunk) => (err += String(chunk)))
  child.stdin?.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out, err }
}

async function startMember(): Promise<{ child: ChildProcess; clientPort: number }> {
  const child = start(
    ...['member', '--data-dir', directory, '--client-port', '0', '--admin-port', '0'],
    ...['--client-address', '127.0.0.1'],
  )
  for await (const line of createInterface({ input: child.stdout! })) {
    const said = JSON.parse(line) as { sid: number; pid: number; clientPort: number }
    expect(said).toMatchObject({ sid: 1, pid: child.pid })
    return { child, clientPort: said.clientPort }
  }
  throw new Error('the member said nothing')
}

function containing(text: string): string {
  return expect.stringContaining(text) as string
}

describe('zabra member and zabra cli', () => {
  it('serve, run commands, and nothing is lost by a kill -9', async () => {
    const first = await startMember()
    const server = `127.0.0.1:${first.clientPort}`
    const created = await run(['cli', '-server', server, 'create', '/a', 'some words'])
    expect([created.code, created.out]).toEqual([0, expect.stringContaining('Created /a')])
    first.child.kill('SIGKILL')
    await once(first.child, 'close')
    const second = await startMember()
    const server2 = `127.0.0.1:${second.clientPort}`
    const typed = await run(['cli', '-server', server2], 'get /a\nls /\nquit\n')
    expect(typed.out).toContain('some words\n[a, zookeeper]\n')
    const missing = await run(['cli', '-server', server2, 'get', '/no'])
    expect([missing.code, missing.out]).toEqual([1, expect.stringContaining('does not exist: /no')])
    const answered = await run(['cli', '--json', '-server', server2, 'get', '/a'])
    expect(JSON.parse(answered.out)).toMatchObject({
      command: ['get', '/a'],
      ok: true,
      result: { data: 'some words', stat: { version: 0, ephemeralOwner: '0x0' } },
      output: ['some words'],
    })
    const refused = await run(['cli', '--json', '-server', server2, 'delete', '/no'])
    expect(JSON.parse(refused.out)).toMatchObject({
      ok: false,
      error: { code: -101, path: '/no', message: 'Node does not exist: /no' },
    })
    expect([answered.code, refused.code]).toEqual([0, 1])
    expect((await run(['cli', '-server', server2, 'nonsense'])).code).toBe(127)
    const config = join(directory, 'client.properties')
    writeFileSync(config, 'zookeeper.request.timeout=5000\nzookeeper.nothing=1\n')
    const configured = await run([
      ...['cli', '-server', server2, '-client-configuration', config],
      ...['-r', '-waitforconnection', '-timeout', '12345', 'get', '/a'],
    ])
    expect([configured.code, configured.err]).toEqual([0, containing('zookeeper.nothing has no')])
    expect(configured.out).toContain('some words')
    const unreached = ['-server', '127.0.0.1:1', '-timeout', '300', '-waitforconnection', 'ls', '/']
    const nobody = await run(['cli', ...unreached])
    expect([nobody.code, nobody.err]).toEqual([1, containing('127.0.0.1:1 within 300 ms')])
    const again = await run(['member', '--data-dir', directory])
    expect([again.code, again.err]).toEqual([3, expect.stringContaining('uses')])
    second.child.kill('SIGTERM')
    expect(await once(second.child, 'close')).toEqual([0, null])
  })

  it('end with the npm that started them, whose signals reach its shell alone', async () => {
    const own = join(directory, 'npm')
    const words = [join(TOP, 'src/edge/zabra.mjs'), 'member', '--data-dir', own]
    const ports = ['--client-port', '0', '--admin-port', '0', '--client-address', '127.0.0.1']
    const line = [process.execPath, ...words, ...ports].join(' ')
    const env = { ...process.env, npm_command: 'run-script' }
    // What follows keeps the shell where it is.
    const shell = spawn('sh', ['-c', `${line}; true`], { cwd: TOP, env })
    children.add(shell)
    const lines = createInterface({ input: shell.stdout })
    const [said] = (await once(lines, 'line')) as [string]
    const { pid } = JSON.parse(said) as { pid: number }
    expect(process.kill(pid, 0)).toBe(true)
    shell.kill('SIGKILL')
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'), {
      timeout: 30_000,
      interval: 100,
    })
  })

  it('say what is wrong with what they are given', async () => {
    const [noDirectory, port, command, host] = await Promise.all([
      run(['member']),
      run(['member', '--data-dir', directory, '--client-port', 'x']),
      run(['nothing']),
      run(['cli', '-server', 'a:b']),
    ])
    expect([noDirectory.code, noDirectory.err]).toEqual([2, expect.stringContaining('--data-dir')])
    expect([port.code, port.err]).toEqual([2, expect.stringContaining('0 to 65535')])
    expect([command.code, command.err]).toEqual([2, expect.stringContaining("'nothing'")])
    expect([host.code, host.err]).toEqual([2, expect.stringContaining('no valid port')])
  })
})
