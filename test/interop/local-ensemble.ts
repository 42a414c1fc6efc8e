/** Three servers as processes of this machine, for clients to be pointed at. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { fourLetterWord } from './apache.ts'
import type { Target } from './scenario.ts'

interface Announced {
  readonly sid: number
  readonly pid: number
  readonly clientPort: number
}

const TOP = fileURLToPath(new URL('../..', import.meta.url))
const SIZE = 3
const LIMIT_MS = 60_000
const PAUSE_MS = 100

export class LocalEnsemble implements Target {
  readonly hosts: string
  readonly #directory: string
  readonly #child: ChildProcess
  readonly #members: ReadonlyMap<number, Announced>

  private constructor(
    directory: string,
    child: ChildProcess,
    members: ReadonlyMap<number, Announced>,
  ) {
    this.#directory = directory
    this.#child = child
    this.#members = members
    this.hosts = [...members.values()].map(({ clientPort }) => `127.0.0.1:${clientPort}`).join()
  }

  /** Resolves when all three serve. */
  static async open(): Promise<LocalEnsemble> {
    const directory = mkdtempSync(join(tmpdir(), 'zabra-three-'))
    const settings = ['preAllocSize=64', 'extendedTypesEnabled=true', 'maxClientCnxns=0']
    const args = [
      ...['ensemble', '--size', String(SIZE), '--data-dir', directory, '--client-port', '0'],
      ...['--client-address', '127.0.0.1', ...settings.flatMap((one) => ['--set', one])],
    ]
    const script = join(TOP, 'src/edge/zabra.mjs')
    const child = spawn(process.execPath, [script, ...args], {
      cwd: TOP,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const members = new Map<number, Announced>()
    if (child.stdout === null) throw new Error('no output to read')
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said = JSON.parse(line) as Announced
      members.set(said.sid, said)
    })
    await until(() => Promise.resolve(members.size === SIZE))
    return new LocalEnsemble(directory, child, members)
  }

  /** kill -9 of the leader; resolves when it is back and there is a leader again. */
  async disturb(): Promise<void> {
    const leader = await found(() => this.#leader())
    process.kill(leader.pid, 'SIGKILL')
    await until(async () => {
      const isBack = this.#members.get(leader.sid)?.pid !== leader.pid
      return isBack && (await this.#leader()) !== null
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#child, 'close')
    this.#child.kill('SIGTERM')
    await closed
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async #leader(): Promise<Announced | null> {
    for (const member of this.#members.values()) {
      const answer = await fourLetterWord(member.clientPort, 'srvr').catch(() => '')
      if (answer.includes('Mode: leader')) return member
    }
    return null
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  await found(async () => ((await holds()) ? true : null))
}

async function found<T>(find: () => Promise<T | null>): Promise<T> {
  const limit = Date.now() + LIMIT_MS
  for (;;) {
    const it = await find()
    if (it !== null) return it
    if (Date.now() > limit) throw new Error(`not within ${LIMIT_MS} ms`)
    await sleep(PAUSE_MS)
  }
}
