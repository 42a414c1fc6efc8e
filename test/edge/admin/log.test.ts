import { describe, expect, it } from 'vitest'
import { createLog, type LogFields } from '../../../src/edge/admin/log.ts'
import { ServerLog } from '../../../src/edge/admin/server-log.ts'

function collected(isTerminal: boolean, common: LogFields = {}): { lines: string[] } & Logs {
  const lines: string[] = []
  const write = (line: string): void => void lines.push(line)
  const log = createLog({ write, isTerminal, level: 'info', wallNow: () => 0, common })
  return { lines, log }
}

interface Logs {
  readonly log: ReturnType<typeof createLog>
}

describe('the log', () => {
  it('is a JSON object per line, whatever is in it', () => {
    const { lines, log } = collected(false, { sid: 2 })
    log.warn('slow-sync', { tookMs: 1_200, reason: 'two\nlines "quoted"' })
    log.debug('not-written')
    expect(lines).toHaveLength(1)
    expect(lines[0]?.split('\n')).toHaveLength(2)
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      time: '1970-01-01T00:00:00.000Z',
      level: 'warn',
      event: 'slow-sync',
      sid: 2,
      tookMs: 1_200,
      reason: 'two\nlines "quoted"',
    })
  })

  it('is words on a terminal', () => {
    const { lines, log } = collected(true)
    log.info('role', { role: 'leading', reason: 'elected by 2' })
    expect(lines).toEqual([
      '1970-01-01T00:00:00.000Z INFO  role role=leading reason="elected by 2"\n',
    ])
  })
})

describe('what happens in a server', () => {
  it('what comes with the load is told once a second, with how often it came', () => {
    const { lines, log } = collected(true)
    let nowMs = 0
    const server = new ServerLog(log, () => nowMs)
    for (let i = 0; i < 5; i++) server.slowSync(1_500, 3)
    nowMs = 1_000
    server.slowSync(1_500, 3)
    expect(lines).toHaveLength(2)
    expect(lines[1]).toContain('suppressed=4')
  })

  it('a snapshot of a gigabyte is a warning', () => {
    const { lines, log } = collected(true)
    const server = new ServerLog(log, () => 0)
    server.snapshot(0x100000002n, 10, 1)
    server.snapshot(0x100000003n, 2 ** 30, 9_000)
    expect(lines).toEqual([
      expect.stringContaining('INFO  snapshot zxid=0x100000002 bytes=10'),
      expect.stringContaining('WARN  large-snapshot zxid=0x100000003 bytes=1073741824'),
    ])
  })

  it('a role is news, a session that opens is not', () => {
    const { lines, log } = collected(true)
    const server = new ServerLog(log, () => 0)
    server.trace({ type: 'session-opened', session: '0x1' })
    server.trace({ type: 'role', role: 'looking', epoch: 0, reason: 'started' })
    server.trace({ type: 'slept', elapsedMs: 5_000 })
    expect(lines).toEqual([
      expect.stringContaining('INFO  role role=looking epoch=0 reason=started'),
      expect.stringContaining('WARN  slept elapsedMs=5000'),
    ])
  })
})
