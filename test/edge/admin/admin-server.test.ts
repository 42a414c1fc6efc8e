import { describe, expect, it } from 'vitest'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import { Administration } from '../../../src/edge/admin/administration.ts'
import { serverSettings } from '../../../src/edge/settings.ts'
import { AdminServer, COMMANDS } from '../../../src/edge/admin/admin-server.ts'
import {
  openHttp,
  type HttpAnswer,
  type HttpRequest,
} from '../../../src/edge/admin/http-listener.ts'
import { createLog } from '../../../src/edge/admin/log.ts'
import { NodeEnsemble } from '../node-ensemble.ts'
import { administeredMember, type AdministeredMember } from './administered-member.ts'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'

function adminOf(server: AdministeredMember): AdminServer {
  const { view, metrics, traceMask, counts } = server.administration
  return new AdminServer({
    view,
    metrics,
    traceMask,
    counts,
    refresh: () => server.administration.refresh(),
  })
}

function request(path: string, said: Partial<HttpRequest> & { text?: string } = {}): HttpRequest {
  const { text = '', ...others } = said
  const url = new URL(path, 'http://admin')
  return {
    method: 'GET',
    path: url.pathname,
    query: url.searchParams,
    authorization: null,
    address: '127.0.0.1',
    body: (bytesMax) => {
      const bytes = new TextEncoder().encode(text)
      return Promise.resolve(bytes.length > bytesMax ? null : bytes)
    },
    ...others,
  }
}

function json({ body }: HttpAnswer): Record<string, unknown> {
  return JSON.parse(typeof body === 'string' ? body : '{}') as Record<string, unknown>
}

describe('the admin server', () => {
  it('has every command of ZooKeeper’s, by each of its names (O16)', async () => {
    using server = administeredMember()
    const admin = adminOf(server)
    const names = COMMANDS.map((command) => command.names.join('/')).sort()
    expect(names).toEqual([
      ...['configuration/conf/config', 'connection_stat_reset/crst', 'connections/cons', 'dirs'],
      ...['dump', 'environment/env/envi', 'get_trace_mask/gtmk', 'hash'],
      ...['initial_configuration/icfg', 'is_read_only/isro', 'last_snapshot/lsnp', 'leader/lead'],
      ...['monitor/mntr', 'observer_connection_stat_reset/orst', 'observers/obsr'],
      ...['restore/rest', 'ruok', 'server_stats/srvr', 'set_trace_mask/stmk'],
      ...['shed_connections/shed', 'snapshot/snap', 'stat_reset/srst', 'stats/stat'],
      ...['system_properties/sysp', 'voting_view', 'watch_summary/wchs', 'watches/wchc'],
      ...['watches_by_path/wchp', 'zabstate'],
    ])
    for (const {
      names: [first = '', ...aliases],
      method,
    } of COMMANDS) {
      if (method === 'POST') continue
      for (const alias of aliases) {
        const answer = await admin.answer(request(`/commands/${alias}`))
        expect(json(answer)['command']).toBe(first)
      }
    }
  })

  it('says in the text what it cannot do, as ZooKeeper does (O13, O15)', async () => {
    using server = administeredMember({ adminCommandPath: '/zk' })
    const admin = adminOf(server)
    expect(await admin.answer(request('/zk/nonsense'))).toMatchObject({ status: 200 })
    expect(json(await admin.answer(request('/zk/nonsense')))).toEqual({
      command: 'nonsense',
      error: 'Unknown command: nonsense',
    })
    expect((await admin.answer(request('/commands/ruok'))).status).toBe(404)
    expect((await admin.answer(request('/zk/ruok', { method: 'POST' }))).status).toBe(405)
    server.administration.administer(null)
    expect(json(await admin.answer(request('/zk/ruok')))).toEqual({
      command: 'ruok',
      error: 'This ZooKeeper instance is not currently serving requests',
    })
    expect(json(await admin.answer(request('/zk/gtmk')))).toMatchObject({ tracemask: 306 })
    expect((await admin.answer(request('/ready'))).status).toBe(503)
    expect((await admin.answer(request('/health'))).status).toBe(200)
  })

  it('the configuration it was started with, without what is secret in it', () => {
    const configuration = 'clientPort=2181\nDigestAuthenticationProvider.superDigest=super:abc=\n'
    const now = (): { elapsedMs: number; wallMs: number } => ({ elapsedMs: 0, wallMs: 0 })
    const settings = serverSettings({ dataDirectory: '/none' })
    const { view } = new Administration({ settings, now, configuration })
    expect(view.initialConfiguration).toBe(
      'clientPort=2181\nDigestAuthenticationProvider.superDigest=***\n',
    )
  })

  it('a server that gave up is not healthy', async () => {
    using server = administeredMember()
    const { machine } = server.member
    server.administration.administer({
      clientPort: null,
      status: () => ({ ...machine.status(server.member.at), halted: 'no space left' }),
      server: machine.server,
    })
    const answer = await adminOf(server).answer(request('/health'))
    expect([answer.status, json(answer)]).toMatchObject([
      503,
      { status: 'halted', reason: 'no space left' },
    ])
  })
})

describe('commands that change something (O17)', () => {
  const shed = (said: Partial<HttpRequest> & { text?: string }): HttpRequest =>
    request('/commands/shed', { method: 'POST', text: '{"percentage": 100}', ...said })

  it('are for those who may do everything to the root', async () => {
    using server = administeredMember({ digestAuthEnabled: true })
    const admin = adminOf(server)
    const client = server.client().connect()
    client.addAuth('digest', 'bob:secret')
    client.setAcl('/', [{ perms: 31, id: { scheme: 'auth', id: '' } }])
    const statusOf = async (authorization: string | null): Promise<unknown> => {
      const answer = await admin.answer(shed({ authorization }))
      return [answer.status, json(answer)['error']]
    }
    expect(await statusOf(null)).toEqual([401, 'Auth info is missing for the command'])
    expect(await statusOf('digest')).toEqual([401, 'Not authenticated'])
    expect(await statusOf('digest a b')).toEqual([401, 'Not authenticated'])
    expect(await statusOf('basic YWxhZGRpbg==')).toEqual([401, 'Not authenticated'])
    expect(await statusOf('digest bob:wrong')).toEqual([403, 'Not authorized'])
    expect(await statusOf('ip')).toEqual([403, 'Not authorized'])
    expect(client.closedBecause).toBeNull()
    expect(await statusOf('digest bob:secret')).toEqual([200, null])
    expect(client.closedBecause).toBe('shed_connections_command')
  })

  it('shed_connections wants a percentage (O18)', async () => {
    using server = administeredMember()
    const admin = adminOf(server)
    const clients = [1, 2, 3].map(() => server.client().connect())
    const said = async (text: string): Promise<unknown> => {
      const answer = await admin.answer(shed({ authorization: 'ip', text }))
      return answer.status === 200 ? json(answer)['connections_shed'] : answer.status
    }
    for (const wrong of ['', '{', '[]', '{}', '{"percentage": 101}', '{"percentage": "1"}']) {
      expect(await said(wrong)).toBe(400)
    }
    expect(await said(' '.repeat(5_000))).toBe(400)
    expect(await said('{"percentage": 0}')).toBe(0)
    expect(await said('{"percentage": 100}')).toBe(3)
    expect(clients.every(({ closedBecause }) => closedBecause !== null)).toBe(true)
    // Their sessions are not over.
    expect(server.member.status().sessions).toHaveLength(3)
    expect(server.member.machine.server.connections.size).toBe(0)
  })

  it('restore is for who may, now and then, and only what is a snapshot (O17)', async () => {
    await using ensemble = await NodeEnsemble.plan(1)
    const server = await ensemble.start(1)
    const { view, metrics, traceMask, counts } = server.administration
    const refresh = (): void => server.administration.refresh()
    const admin = new AdminServer({ view, metrics, traceMask, counts, refresh })
    const restore = (said: { text?: string } = {}): Promise<HttpAnswer> =>
      admin.answer(request('/commands/restore', { method: 'POST', authorization: 'ip', ...said }))
    const root = request('/commands/restore', { method: 'POST' })
    expect((await admin.answer(root)).status).toBe(401)
    expect((await restore({ text: 'no snapshot' })).status).toBe(500)
    expect((await restore({ text: 'no snapshot' })).status).toBe(429)
    expect(counts).toMatchObject({ restoreErrors: 1, restoresLimited: 1 })
    expect(server.status().serving).toBe(true)
  })
})

describe('numbers', () => {
  it('session ids stand there to the last digit, and text does not break the form', async () => {
    using server = administeredMember()
    const client = server.client().connect()
    client.create('/a "quoted"')
    client.send(OpCode.ping, null)
    client.getData('/a "quoted"', true)
    const answer = await adminOf(server).answer(request('/commands/wchc'))
    expect(answer.body).toContain(`"${client.session}" : [ "/a \\"quoted\\"" ]`)
    const cons = await adminOf(server).answer(request('/commands/cons'))
    expect(cons.body).toContain(`"session_id" : ${client.session},`)
    expect(json(cons)['connections']).toHaveLength(1)
  })
})

describe('ports that are taken', () => {
  it('keep nobody from serving, but for the one of metrics that were asked for', async () => {
    const lines: string[] = []
    const log = createLog({
      write: (line) => void lines.push(line),
      isTerminal: true,
      level: 'info',
      wallNow: () => 0,
    })
    const metrics = { host: '127.0.0.1', port: 0, exportsProcessInfo: false }
    const address = { adminAddress: '127.0.0.1', adminPort: 0 }
    using first = administeredMember({ ...address, metrics })
    await first.administration.listen()
    const { adminPort, metricsPort } = first.administration
    const taken = { adminAddress: '127.0.0.1', adminPort: adminPort ?? 0 }
    using second = administeredMember(taken, {}, log)
    await second.administration.listen()
    expect(second.administration.adminPort).toBeNull()
    expect(lines.join('')).toMatch(/WARN {2}no-admin-server port=\d+ reason=".*EADDRINUSE/)
    using third = administeredMember({
      ...address,
      metrics: { ...metrics, port: metricsPort ?? 0 },
    })
    await expect(third.administration.listen()).rejects.toThrow('metricsProvider.httpPort')
    for (const server of [first, second, third]) await server.administration.close()
  })
})

describe('an HTTP listener', () => {
  const answer = (): Promise<HttpAnswer> =>
    Promise.resolve({ status: 200, type: 'text/plain', body: 'fine' })

  it('refuses methods it does not know, survives nonsense, and hides its own errors', async () => {
    const failures: unknown[] = []
    let breaks = false
    const listener = await openHttp({
      host: '127.0.0.1',
      port: 0,
      idleTimeoutMs: 5_000,
      methods: ['GET', 'HEAD'],
      answer: () => (breaks ? Promise.reject(new Error('secret')) : answer()),
      onFailure: (path, error) => failures.push([path, error]),
    })
    const url = `http://127.0.0.1:${listener.port}/x`
    expect(await (await fetch(url)).text()).toBe('fine')
    expect(await (await fetch(url, { method: 'HEAD' })).text()).toBe('')
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(405)
    expect(await traced(listener.port)).toBe(405)
    expect(await spoken(listener.port, 'nonsense\r\n\r\n')).toContain('400 Bad Request')
    expect(await spoken(listener.port, 'GET // HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 (200|400)/)
    breaks = true
    const broken = await fetch(url)
    expect([broken.status, await broken.text()]).toEqual([500, 'internal error\n'])
    expect(failures).toEqual([['/x', new Error('secret')]])
    await listener.close()
    await expect(fetch(url)).rejects.toThrow()
  })

  it('names the port that is taken', async () => {
    const options = { host: '127.0.0.1', port: 0, idleTimeoutMs: 5_000, methods: ['GET'], answer }
    const first = await openHttp(options)
    await expect(openHttp({ ...options, port: first.port })).rejects.toThrow('EADDRINUSE')
    await first.close()
  })
})

function traced(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    httpRequest({ port, method: 'TRACE', host: '127.0.0.1' }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })
}

function spoken(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    let said = ''
    socket.on('data', (chunk) => (said += chunk.toString()))
    socket.on('error', reject)
    socket.on('close', () => resolve(said))
  })
}
