/**
 * Machines of a network on this one: a network namespace for each, a virtual cable from it to a
 * bridge, and this process at the bridge as the server that everybody reaches. Links between two
 * machines are really cut, in one direction or both: packets leave for a card that nobody has, so
 * the kernel drops them without a word, as a broken network does. Needs Linux and root.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A card that is in no machine here: of those that anybody may give away (bit 2 of the first). */
const NOBODYS_CARD = '02:00:5a:ff:ff:ff'
/** Of losses without netem: each pair is cut again and again, for so long at most, ms. */
const BURST_MS = 60
/** As many as a room has; each is one digit of a name and of an address. */
const MACHINES_MAX = 9

export class NetworkLab implements AsyncDisposable {
  /** Of this process, as the machines see it. */
  readonly serverAddress: string
  readonly size: number
  readonly #name: string
  readonly #folder: string
  #hasNetem = false
  readonly #losses: (() => Promise<void>)[] = []

  private constructor(name: string, size: number, folder: string) {
    this.#name = name
    this.size = size
    this.#folder = folder
    this.serverAddress = addressOf(254)
  }

  /** What forbids it on this machine; null: nothing. */
  static async obstacle(): Promise<string | null> {
    const name = `zabra-${process.pid}-try`
    try {
      await ip('netns', 'add', name)
      await ip('netns', 'del', name)
      return null
    } catch (error) {
      return `no network namespaces here: ${error instanceof Error ? error.message : '?'}`
    }
  }

  static async start(size: number): Promise<NetworkLab> {
    if (size > MACHINES_MAX) throw new Error(`at most ${MACHINES_MAX} machines`)
    const folder = await mkdtemp(join(tmpdir(), 'zabra-network-'))
    const lab = new NetworkLab(`zb${process.pid}`, size, folder)
    await lab.#build()
    return lab
  }

  /** A program that starts the browser inside machine `index`, 0 first. */
  async browserOf(index: number): Promise<string> {
    const path = join(this.#folder, `browser-${index}`)
    const browser = process.env['ZABRA_BROWSER'] ?? 'chromium'
    const line = `exec ip netns exec ${this.#space(index)} '${browser}' "$@"`
    await writeFile(path, `#!/bin/sh\n${line}\n`)
    await chmod(path, 0o755)
    return path
  }

  /** What `from` sends to `to` is lost; what it hears is not. */
  async cutOneWay(from: number, to: number): Promise<void> {
    await this.#neighbour(from, to, NOBODYS_CARD)
  }

  async healOneWay(from: number, to: number): Promise<void> {
    await this.#neighbour(from, to, cardOf(to))
  }

  async cut(a: number, b: number): Promise<void> {
    await Promise.all([this.cutOneWay(a, b), this.cutOneWay(b, a)])
  }

  /** From all others, not from the server. */
  async isolate(index: number): Promise<void> {
    for (const other of this.#others(index)) await this.cut(index, other)
  }

  /** Of what this machine sends, about `percent` of 100 gets lost. How, as a person would say. */
  async lose(index: number, percent: number): Promise<string> {
    if (this.#hasNetem) {
      const card = ['dev', 'eth0', 'root']
      await this.#inside(index, 'tc', 'qdisc', 'add', ...card, 'netem', 'loss', `${percent}%`)
      this.#losses.push(() => this.#inside(index, 'tc', 'qdisc', 'del', ...card))
      return 'netem'
    }
    const bursts = new Bursts(this.#space(index), percent, this.#others(index))
    this.#losses.push(() => bursts.end())
    return 'bursts'
  }

  async heal(): Promise<void> {
    for (const end of this.#losses.splice(0)) await end()
    for (let a = 0; a < this.size; a++) {
      for (const b of this.#others(a)) await this.healOneWay(a, b)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#losses.splice(0)) await end().catch(() => undefined)
    for (let i = 0; i < this.size; i++) {
      await ip('netns', 'del', this.#space(i)).catch(() => undefined)
    }
    await ip('link', 'del', this.#name).catch(() => undefined)
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #build(): Promise<void> {
    await ip('link', 'add', this.#name, 'type', 'bridge')
    await ip('addr', 'add', `${this.serverAddress}/24`, 'dev', this.#name)
    await ip('link', 'set', this.#name, 'up')
    for (let i = 0; i < this.size; i++) {
      const [space, cable] = [this.#space(i), `${this.#name}v${i}`]
      await ip('netns', 'add', space)
      const inside = ['peer', 'name', 'eth0', 'address', cardOf(i), 'netns', space]
      await ip('link', 'add', cable, 'type', 'veth', ...inside)
      await ip('link', 'set', cable, 'master', this.#name, 'up')
      await this.#inside(i, 'ip', 'addr', 'add', `${addressOf(i + 1)}/24`, 'dev', 'eth0')
      for (const card of ['lo', 'eth0']) await this.#inside(i, 'ip', 'link', 'set', card, 'up')
      await this.#inside(i, 'ip', 'route', 'add', 'default', 'via', this.serverAddress)
    }
    await this.heal()
    const trial = ['dev', 'lo', 'root', 'netem', 'loss', '1%']
    this.#hasNetem = await this.#inside(0, 'tc', 'qdisc', 'add', ...trial).then(
      () => true,
      () => false,
    )
    if (this.#hasNetem) await this.#inside(0, 'tc', 'qdisc', 'del', 'dev', 'lo', 'root')
  }

  async #neighbour(of: number, who: number, card: string): Promise<void> {
    await this.#inside(of, 'ip', ...neighbour(who, card))
  }

  #others(index: number): number[] {
    return Array.from({ length: this.size }, (_, i) => i).filter((i) => i !== index)
  }

  #space(index: number): string {
    return `${this.#name}-${index}`
  }

  async #inside(index: number, ...command: string[]): Promise<void> {
    await run('ip', ['netns', 'exec', this.#space(index), ...command])
  }
}

/** Where the kernel has no netem: nothing gets through for moments, at moments drawn anew. */
class Bursts {
  readonly #child: ChildProcess
  readonly #percent: number
  readonly #others: readonly number[]
  #timer: NodeJS.Timeout | null = null
  #isLosing = false

  constructor(space: string, percent: number, others: readonly number[]) {
    this.#percent = percent
    this.#others = others
    const stdio: ['pipe', 'ignore', 'ignore'] = ['pipe', 'ignore', 'ignore']
    this.#child = spawn('ip', ['netns', 'exec', space, 'ip', '-batch', '-'], { stdio })
    this.#next()
  }

  async end(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    const gone = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.stdin?.end()
    await gone
  }

  #next(): void {
    this.#isLosing = !this.#isLosing
    for (const other of this.#others) {
      const card = this.#isLosing ? NOBODYS_CARD : cardOf(other)
      this.#child.stdin?.write(`${neighbour(other, card).join(' ')}\n`)
    }
    const share = this.#isLosing ? this.#percent : 100 - this.#percent
    const lastsMs = (Math.random() * 2 * BURST_MS * share) / 100
    this.#timer = setTimeout(() => this.#next(), lastsMs)
  }
}

async function ip(...args: string[]): Promise<void> {
  await run('ip', args)
}

function neighbour(who: number, card: string): string[] {
  const entry = [addressOf(who + 1), 'lladdr', card, 'dev', 'eth0', 'nud', 'permanent']
  return ['neigh', 'replace', ...entry]
}

function cardOf(index: number): string {
  return `02:00:5a:00:00:0${index + 1}`
}

/** A network of this process's own, of those that no router of the world knows. */
function addressOf(host: number): string {
  return `10.${64 + ((process.pid >> 8) % 64)}.${process.pid & 255}.${host}`
}
