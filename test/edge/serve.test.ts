import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startServer, StartError, type RunningServer } from '../../src/edge/serve.ts'

let folder: string
let server: RunningServer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zabra-serve-'))
  const pages = join(folder, 'pages')
  await mkdir(join(pages, 'assets'), { recursive: true })
  await writeFile(join(pages, 'index.html'), '<!doctype html>home')
  await writeFile(join(pages, 'assets', 'member-B4x_9kLz.js'), 'export {}')
  await writeFile(join(pages, '.hidden'), 'secret')
  await writeFile(join(folder, 'outside.txt'), 'secret')
  await symlink(join(folder, 'outside.txt'), join(pages, 'link.txt'))
  server = await startServer({ port: 0, staticDir: pages })
})
afterAll(async () => {
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** Not fetch: it would tidy the path before it is sent. */
function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port: server.port, path, method, headers }, (response) => {
      let body = ''
      response.on('data', (part: Buffer) => (body += part.toString()))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      )
    })
      .on('error', reject)
      .end()
  })
}

describe('static files', () => {
  it('serves the home page, never from a cache unasked', async () => {
    const { status, headers, body } = await get('/?room=zoo')
    expect([status, body]).toEqual([200, '<!doctype html>home'])
    expect(headers['content-type']).toBe('text/html; charset=utf-8')
    expect(headers['cache-control']).toBe('no-cache')
    const again = await get('/index.html', { 'If-None-Match': String(headers['etag']) })
    expect([again.status, again.body]).toEqual([304, ''])
  })

  it('serves hashed assets for ever', async () => {
    const { status, headers } = await get('/assets/member-B4x_9kLz.js')
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('text/javascript; charset=utf-8')
    expect(headers['cache-control']).toContain('immutable')
  })

  it('answers HEAD without a body', async () => {
    const { status, headers, body } = await get('/', {}, 'HEAD')
    expect([status, headers['content-length'], body]).toEqual([200, '19', ''])
  })

  it.each([
    '/../outside.txt',
    '/assets/../../outside.txt',
    '/%2e%2e/outside.txt',
    '/..%2foutside.txt',
    '/assets/%2e%2e%2f%2e%2e%2foutside.txt',
    '/..%5coutside.txt',
    '/link.txt',
    '/.hidden',
    '/%00',
    '/%',
    '/assets',
    '/assets/',
    '/nothing.html',
    '//etc/passwd',
    'http://elsewhere/',
  ])('gives nothing away at %s', async (path) => {
    const { status, body } = await get(path)
    expect([400, 404]).toContain(status)
    expect(body).not.toContain('secret')
  })

  it('takes no other method', async () => {
    const { status, headers } = await get('/', {}, 'POST')
    expect([status, headers['allow']]).toEqual([405, 'GET, HEAD'])
  })

  it('sends a policy under which only our own scripts and workers run', async () => {
    const { headers } = await get('/')
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("worker-src 'self'")
    expect(policy).toContain("connect-src 'self' ws: wss:")
    expect(policy).toContain("object-src 'none'")
    expect(policy).not.toContain('unsafe-eval')
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['referrer-policy']).toBe('no-referrer')
  })
})

describe('starting', () => {
  it('says in words that a port is busy', async () => {
    const again = startServer({ port: server.port })
    await expect(again).rejects.toThrow(StartError)
    await expect(again).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: expect.stringContaining(`Port ${server.port}`) as string,
    })
  })

  it('gives its port back when it closes', async () => {
    const first = await startServer({ port: 0 })
    await first.close()
    const second = await startServer({ port: first.port })
    expect(second.port).toBe(first.port)
    await second.close()
  })
})
