/** A machine on Node beside the tabs: a process of `zabra join`, with ZooKeeper's client port. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'playwright/test'
import { COMMAND_FILE } from './kit-files.ts'

/** A bound on hanging: beside several browsers on two cores a program starts late. */
const START_PATIENCE_MS = 60_000

interface Said {
  readonly link?: string
  readonly sid?: number
  readonly pid?: number
  readonly role?: string
  readonly clientPort?: number
}

export class NodeMember implements AsyncDisposable {
  readonly directory: string
  #child: ChildProcess | null = null
  #said: Said[] = []
  #errors = ''

  private constructor(directory: string) {
    this.directory = directory
  }

  static async inNewDirectory(): Promise<NodeMember> {
    return new NodeMember(await mkdtemp(join(tmpdir(), 'zabra-join-')))
  }

  /** With the words of a person; without any it goes on in the room of its directory. */
  start(...words: readonly string[]): void {
    this.#said = []
    this.#errors = ''
    const child = spawn(
      process.execPath,
      [
        ...[COMMAND_FILE, 'join', ...words, '--data-dir', this.directory],
        ...['--client-port', '0', '--client-address', '127.0.0.1', '--admin-port', '0'],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    this.#child = child
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#said.push(JSON.parse(line) as Said)
    })
    child.stderr.on('data', (text) => (this.#errors += String(text)))
  }

  /** What it has said to people, for messages of failed tests. */
  get errors(): string {
    return this.#errors
  }

  /** It is in its room. */
  async expectHere(): Promise<void> {
    await expect
      .poll(() => this.#errors, { timeout: START_PATIENCE_MS, message: 'a word of zabra join' })
      .toMatch(/\d of \d here|exists already|machine \d/)
  }

  /** Of the room that it made. */
  async link(): Promise<string> {
    const { link } = await this.#line((said) => said.link !== undefined)
    return link ?? ''
  }

  /** Resolves when it serves clients, at that port of 127.0.0.1. */
  async serving(): Promise<{
    readonly sid: number
    readonly role: string
    readonly clientPort: number
  }> {
    const { sid = 0, role = '', clientPort = 0 } = await this.#line((said) => 'sid' in said)
    return { sid, role, clientPort }
  }

  /** Resolves with the exit code, null after SIGKILL. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    const child = this.#child
    this.#child = null
    if (child === null || child.exitCode !== null) return child?.exitCode ?? null
    const closed = once(child, 'close')
    child.kill(signal)
    const [code] = (await closed) as [number | null]
    return code
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL')
    await rm(this.directory, { recursive: true, force: true })
  }

  async #line(isIt: (said: Said) => boolean): Promise<Said> {
    await expect
      .poll(() => this.#said.some(isIt), {
        timeout: START_PATIENCE_MS,
        message: `a line of zabra join, which said: ${this.#errors}`,
      })
      .toBe(true)
    return this.#said.find(isIt) ?? {}
  }
}
