// What `npm start` takes and what it says, without starting it.
import { describe, expect, test } from 'vitest'
import { linkTo, startOptions, tlsText } from '../../demo/start-options.mjs'

describe('options', () => {
  test.each([
    [[], {}, { tls: false, host: '127.0.0.1', port: undefined }],
    [[], { PORT: '8080', HOST: '0.0.0.0' }, { tls: false, host: '0.0.0.0', port: 8080 }],
    [['--tls'], {}, { tls: true, host: '0.0.0.0', port: undefined }],
    [['--tls', '--host', '127.0.0.1'], {}, { tls: true, host: '127.0.0.1', port: undefined }],
    [['--tls'], { HOST: '192.168.1.5' }, { tls: true, host: '192.168.1.5', port: undefined }],
    [['--port=80', '--host=::'], { PORT: '7' }, { tls: false, host: '::', port: 80 }],
  ] as const)('%j with %j', (args, env, options) => {
    expect(startOptions(args, env)).toEqual(options)
  })

  test.each([
    [['--https'], /'--https' is no option/],
    [['--tls=yes'], /'--tls=yes' is no option/],
    [['--host'], /--host needs a value/],
    [['--port', 'abc'], /--port is 'abc', which is no port number/],
    [['--port', '70000'], /no port number/],
  ] as const)('%j is refused', (args, words) => {
    expect(() => startOptions(args, {})).toThrow(words)
  })
})

describe('words', () => {
  const facts = { port: 4173, fingerprint: 'AB:CD', isNew: true }

  test('links for this machine and for the network, the questions and the fingerprint', () => {
    const text = tlsText({ ...facts, host: '0.0.0.0', lan: ['192.168.1.5', 'fd00::1'] })
    for (const part of [
      'https://localhost:4173/',
      'https://192.168.1.5:4173/',
      'https://[fd00::1]:4173/',
      '"Your connection is not private": Advanced, then Proceed',
      'SHA-256 fingerprint\n    AB:CD',
      'made just now',
      'Why https:',
    ]) {
      expect(text).toContain(part)
    }
  })

  test('a server of this machine only, or of one address', () => {
    const alone = tlsText({ ...facts, host: '127.0.0.1', lan: ['192.168.1.5'] })
    expect(alone).toContain('No other machine can reach it')
    expect(alone).not.toContain('192.168.1.5')
    const one = tlsText({ ...facts, host: '192.168.1.5', lan: [], isNew: false })
    expect(one).toContain('zabra is at https://192.168.1.5:4173/')
    expect(one).toContain('the one kept in .tls')
  })

  test('links', () => {
    expect(linkTo('http', '0.0.0.0', 80)).toBe('http://localhost:80/')
    expect(linkTo('https', 'fd00::1', 80)).toBe('https://[fd00::1]:80/')
  })
})
