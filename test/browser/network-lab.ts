/**
 * Machines of a network on this one: a network namespace for each, a virtual cable from it to a
 * bridge, and a server at the bridge that everybody reaches. Links between two machines are really
 * cut, in one direction or both: packets leave for a card that nobody has, so the kernel drops them
 * without a word, as a broken network does. Needs Linux.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Namespace } from './namespace.ts'

const SERVER = fileURLToPath(new URL('./lab-server.ts', import.meta.url))
/** A card that is in no machine here: of those that anybody may give away (bit 2 of the first). */
const NOBODYS_CARD = '02:00:5a:ff:ff:ff'
/** Of losses without netem: each pair is cut again and again, for so long at most, ms. */
const BURST_MS = 60
/** As many as a room has; each is one digit of a name and of an address. */
const MACHINES_MAX = 9
const SERVER_ADDRESS = addressOf(254)
const BRIDGE = 'bridge'

export class NetworkLab implements AsyncDisposable {
  readonly size: number
  /** With the bridge and the server. */
  readonly #switch: Namespace
  readonly #machines: readonly Namespace[]
  readonly #folder: string
  #server: ChildProcess | null = null
  #origin = ''
  #hasNetem = false
  readonly #losses: (() => Promise<void>)[] = []

  private constructor(middle: Namespace, machines: readonly Namespace[], folder: string) {
    this.#switch = middle
    this.#machines = machines
    this.size = machines.length
    this.#folder = folder
  }

  /** Rejects with what forbids it on this machine. */
  static async start(size: number): Promise<NetworkLab> {
    if (size > MACHINES_MAX) throw new Error(`at most ${MACHINES_MAX} machines`)
    const middle = await Namespace.make()
    const machines: Namespace[] = []
    for (let i = 0; i < size; i++) machines.push(await middle.sibling())
    const folder = await mkdtemp(join(tmpdir(), 'zabra-network-'))
    const lab = new NetworkLab(middle, machines, folder)
    await lab.#build()
    await lab.#serve()
    return lab
  }

  /** Of the server, as the machines see it. */
  get origin(): string {
    return this.#origin
  }

  /** A program that starts the browser inside machine `index`, 0 first. */
  async browserOf(index: number): Promise<string> {
    const path = join(this.#folder, `browser-${index}`)
    const browser = process.env['ZABRA_BROWSER'] ?? 'chromium'
    const line = `exec ${this.#machine(index).inside(`'${browser}'`).join(' ')} "$@"`
    await writeFile(path, `#!/bin/sh\n${line}\n`)
    await chmod(path, 0o755)
    return path
  }

  /** What starts a program inside machine `index`. */
  insideOf(index: number): readonly string[] {
    return this.#machine(index).inside()
  }

  /** What `from` sends to `to` is lost; what it hears is not. */
  async cutOneWay(from: number, to: number): Promise<void> {
    await this.#neighbours(from, [neighbour(to, NOBODYS_CARD)])
  }

  async cut(a: number, b: number): Promise<void> {
    await Promise.all([this.cutOneWay(a, b), this.cutOneWay(b, a)])
  }

  /** From all others, not from the server. */
  async isolate(index: number): Promise<void> {
    await Promise.all(this.#others(index).map((other) => this.cut(index, other)))
  }

  /** Of what this machine sends, about `percent` of 100 gets lost. How, as a person would say. */
  async lose(index: number, percent: number): Promise<string> {
    const machine = this.#machine(index)
    if (this.#hasNetem) {
      const card = ['dev', 'eth0', 'root']
      await machine.run('tc', 'qdisc', 'add', ...card, 'netem', 'loss', `${percent}%`)
      this.#losses.push(() => machine.run('tc', 'qdisc', 'del', ...card))
      return 'netem'
    }
    const bursts = new Bursts(machine, percent, this.#others(index))
    this.#losses.push(() => bursts.end())
    return 'bursts'
  }

  /** The machine has another address from now on, and not the one that it had. */
  async move(index: number): Promise<void> {
    const machine = this.#machine(index)
    const [before, after] = [addressOf(index + 1), addressOf(index + 101)]
    for (const [of, other] of this.#machines.entries()) {
      if (of === index) continue
      await other.feed(`${neighbour(index, cardOf(index), after).join(' ')}\n`, ...BATCH)
    }
    await machine.run('ip', 'addr', 'del', `${before}/24`, 'dev', 'eth0')
    await machine.run('ip', 'addr', 'add', `${after}/24`, 'dev', 'eth0')
    await machine.run('ip', 'route', 'replace', 'default', 'via', SERVER_ADDRESS)
  }

  async heal(): Promise<void> {
    for (const end of this.#losses.splice(0)) await end()
    const all = this.#machines.map((_, index) => {
      const entries = this.#others(index).map((other) => neighbour(other, cardOf(other)))
      return this.#neighbours(index, entries)
    })
    await Promise.all(all)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#losses.splice(0)) await end().catch(() => undefined)
    this.#server?.kill('SIGKILL')
    // With its last process a namespace goes, and all that is in it.
    for (const machine of this.#machines) machine.end()
    this.#switch.end()
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #build(): Promise<void> {
    const middle = this.#switch
    await middle.run('ip', 'link', 'add', BRIDGE, 'type', 'bridge')
    await middle.run('ip', 'addr', 'add', `${SERVER_ADDRESS}/24`, 'dev', BRIDGE)
    await middle.run('ip', 'link', 'set', BRIDGE, 'up')
    for (const [i, machine] of this.#machines.entries()) {
      const cable = `cable${i}`
      const end = ['peer', 'name', 'eth0', 'address', cardOf(i), 'netns', String(machine.pid)]
      await middle.run('ip', 'link', 'add', cable, 'type', 'veth', ...end)
      await middle.run('ip', 'link', 'set', cable, 'master', BRIDGE, 'up')
      await machine.run('ip', 'addr', 'add', `${addressOf(i + 1)}/24`, 'dev', 'eth0')
      for (const card of ['lo', 'eth0']) await machine.run('ip', 'link', 'set', card, 'up')
      await machine.run('ip', 'route', 'add', 'default', 'via', SERVER_ADDRESS)
    }
    await this.heal()
    const trial = ['dev', 'lo', 'root', 'netem', 'loss', '1%']
    this.#hasNetem = await this.#machine(0)
      .run('tc', 'qdisc', 'add', ...trial)
      .then(
        () => true,
        () => false,
      )
    if (this.#hasNetem) await this.#machine(0).run('tc', 'qdisc', 'del', 'dev', 'lo', 'root')
  }

  async #serve(): Promise<void> {
    const node = [process.execPath, '--import', 'tsx', SERVER, SERVER_ADDRESS]
    const [program, ...args] = this.#switch.inside(...node)
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#server = child
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the server of the lab ended with ${String(code)}`)
    })
    const [port] = (await Promise.race([once(child.stdout, 'data'), ended])) as [Buffer]
    ended.catch(() => {})
    this.#origin = `http://${SERVER_ADDRESS}:${port.toString().trim()}`
  }

  async #neighbours(of: number, entries: readonly (readonly string[])[]): Promise<void> {
    const lines = entries.map((entry) => `${entry.join(' ')}\n`)
    await this.#machine(of).feed(lines.join(''), ...BATCH)
  }

  #machine(index: number): Namespace {
    const machine = this.#machines[index]
    if (machine === undefined) throw new Error(`no machine ${index}`)
    return machine
  }

  #others(index: number): number[] {
    return Array.from({ length: this.size }, (_, i) => i).filter((i) => i !== index)
  }
}

const BATCH = ['ip', '-batch', '-'] as const

/** Where the kernel has no netem: nothing gets through for moments, at moments drawn anew. */
class Bursts {
  readonly #child: ChildProcess
  readonly #percent: number
  readonly #others: readonly number[]
  #timer: NodeJS.Timeout | null = null
  #isLosing = false

  constructor(machine: Namespace, percent: number, others: readonly number[]) {
    this.#percent = percent
    this.#others = others
    const [program, ...args] = machine.inside(...BATCH)
    this.#child = spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'] })
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

function neighbour(who: number, card: string, address = addressOf(who + 1)): readonly string[] {
  const entry = [address, 'lladdr', card, 'dev', 'eth0', 'nud', 'permanent']
  return ['neigh', 'replace', ...entry]
}

function cardOf(index: number): string {
  return `02:00:5a:00:00:0${index + 1}`
}

/** A network that only this lab's own namespaces know. */
function addressOf(host: number): string {
  return `10.64.0.${host}`
}
