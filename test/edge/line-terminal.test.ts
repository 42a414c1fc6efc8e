/** The terminal of `zabra cli`, typed to key by key. */
import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { LineTerminal, type TypedShell } from '../../src/edge/line-terminal.ts'

class Bench {
  readonly #input = new PassThrough()
  readonly #output = new PassThrough({ encoding: 'utf8' })
  readonly terminal: LineTerminal
  readonly commands: string[] = []
  state = 'CONNECTING'
  #shown = ''

  constructor(isInteractive = true) {
    const [input, output] = [this.#input, this.#output]
    output.on('data', (text: string) => (this.#shown += text))
    this.terminal = new LineTerminal({ input, output, isInteractive })
  }

  shell(run: (line: string) => Promise<void> = async () => {}): TypedShell {
    return {
      run: async (line) => {
        this.commands.push(line)
        await run(line)
      },
      prompt: () => `[${this.state}] `,
      complete: async (line) => ['create', 'get', 'getAcl'].filter((one) => one.startsWith(line)),
    }
  }

  /** Each key by itself: what comes at once is pasted, and not completed. */
  async type(keys: string): Promise<void> {
    for (const key of keys) {
      this.#input.write(key)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  end(): void {
    this.#input.end()
  }

  /** As it stands on the screen: what was erased is gone. */
  lines(): readonly string[] {
    const kept = this.#shown.split('\n').map((line) => {
      return (
        line
          .split(/\u001b\[2K|\u001b\[0J/)
          .at(-1)
          ?.replace(/\r|\u001b\[\d*[GK]/g, '') ?? ''
      )
    })
    return kept
  }
}

it('says how the connection is below what comes by itself, and keeps what was typed', async () => {
  const bench = new Bench()
  const attended = bench.terminal.attend(bench.shell())
  await bench.type('get /a')
  bench.state = 'CONNECTED'
  bench.terminal.write('WATCHER::')
  expect(bench.lines()).toEqual(['WATCHER::', '[CONNECTED] get /a'])
  await bench.type('\r')
  expect(bench.commands).toEqual(['get /a'])
  bench.end()
  await attended
})

it('completes: the common start, and a blank behind the only one', async () => {
  const bench = new Bench()
  const attended = bench.terminal.attend(bench.shell())
  await bench.type('cr\t/x\r')
  await bench.type('g\t\r')
  expect(bench.commands).toEqual(['create /x', 'get'])
  bench.end()
  await attended
})

it('has no prompt between the lines that a command says, nor after the last command', async () => {
  const bench = new Bench()
  const attended = bench.terminal.attend(
    bench.shell(async (line) => {
      bench.terminal.write(`${line} 1`)
      bench.terminal.write(`${line} 2`)
      if (line === 'quit') bench.terminal.close()
    }),
  )
  await bench.type('ls\r')
  expect(bench.lines().slice(-3)).toEqual(['ls 1', 'ls 2', '[CONNECTING] '])
  await bench.type('quit\r')
  await attended
  expect(bench.lines().slice(-3)).toEqual(['quit 1', 'quit 2', ''])
})

it('only runs what is piped in', async () => {
  const bench = new Bench(false)
  const attended = bench.terminal.attend(
    bench.shell(async (line) => bench.terminal.write(`> ${line}`)),
  )
  await bench.type('ls\nget\n')
  bench.end()
  await attended
  expect(bench.lines()).toEqual(['> ls', '> get', ''])
})
