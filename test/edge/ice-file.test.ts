// `npm start -- --ice`: what is read, what is refused, and what pages get.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readIceSettings } from '../../demo/ice-option.mjs'
import { startOptions } from '../../demo/start-options.mjs'
import { parseIceText, type IceSettings } from '../../src/adapters/webrtc/ice-settings.ts'
import { startServer } from '../../src/edge/serve.ts'

const SETTINGS: IceSettings = {
  iceServers: [{ urls: ['turn:turn.example.org'], username: 'u', credential: 'c' }],
  iceTransportPolicy: 'all',
}
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zabra-ice-'))
  await writeFile(join(folder, 'turn.json'), JSON.stringify(SETTINGS))
  await writeFile(join(folder, 'broken.json'), '[{"urls": "turn:x"}]')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('a file, JSON and plain addresses are read; what is wrong is said', async () => {
  const read = (value: string): Promise<IceSettings> => readIceSettings(value, parseIceText)
  expect(await read(join(folder, 'turn.json'))).toEqual(SETTINGS)
  expect(await read(JSON.stringify(SETTINGS))).toEqual(SETTINGS)
  expect((await read('stun:stun.example.org')).iceServers).toHaveLength(1)
  await expect(read(join(folder, 'none.json'))).rejects.toThrow(/none\.json: there is no such file/)
  await expect(read(join(folder, 'broken.json'))).rejects.toThrow(/broken\.json: .*"credential"/)
  await expect(read('{"iceServers": 1}')).rejects.toThrow(/--ice: "iceServers" is not a list/)
  expect(startOptions(['--ice', 'turn.json'], {}).ice).toBe('turn.json')
  expect(startOptions(['--ice=turn.json'], {}).ice).toBe('turn.json')
  expect(() => startOptions(['--ice'], {})).toThrow(/--ice needs a value/)
})

test.each([
  ['with settings', SETTINGS],
  ['without', undefined],
])('beside the pages lies ice.json, %s', async (_name, iceSettings) => {
  const server = await startServer({
    port: 0,
    staticDir: folder,
    ...(iceSettings === undefined ? {} : { iceSettings }),
  })
  try {
    const response = await fetch(`http://127.0.0.1:${server.port}/ice.json?x`)
    expect(response.headers.get('content-type')).toContain('application/json')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('cross-origin-resource-policy')).toBe('same-origin')
    expect(await response.json()).toEqual(
      iceSettings ?? { iceServers: [], iceTransportPolicy: 'all' },
    )
    const posted = await fetch(`http://127.0.0.1:${server.port}/ice.json`, { method: 'POST' })
    expect(posted.status).toBe(405)
  } finally {
    await server.close()
  }
})
