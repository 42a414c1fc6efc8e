/** ZooKeeper's own command line in Java, fed line by line: a client that knows nothing of us. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'playwright/test'
import { PATIENCE_MS } from './machine-page.ts'

const JAR = process.env['ZABRA_APACHE'] ?? '/usr/share/java/zookeeper.jar'

export class ForeignShell implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams
  #output = ''

  constructor(clientPort: number) {
    this.#child = spawn('java', [
      ...['-Xmx128m', '-cp', `${JAR}:/usr/share/java/slf4j-nop.jar`],
      ...['org.apache.zookeeper.ZooKeeperMain', '-server', `127.0.0.1:${clientPort}`],
    ])
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on('data', (text) => (this.#output += String(text)))
    }
  }

  type(line: string): void {
    this.#child.stdin.write(`${line}\n`)
  }

  async expectOutput(text: string | RegExp): Promise<void> {
    await expect
      .poll(() => this.#output, { timeout: PATIENCE_MS, message: 'the output of zkCli' })
      .toMatch(text)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return
    const gone = once(this.#child, 'close')
    this.#child.kill('SIGKILL')
    await gone
  }
}
