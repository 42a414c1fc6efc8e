// Where a QR code of the link helps: on https, and where the host is not this very computer.
import { expect, test } from 'vitest'
import { isLoopbackName, whyNoQr } from '../../demo/share/qr-rules.ts'

test.each(['localhost', 'room.localhost', '127.0.0.1', '127.9.9.9', '[::1]'])(
  '%s is this computer',
  (hostname) => {
    expect(isLoopbackName(hostname)).toBe(true)
    expect(whyNoQr({ protocol: 'https:', hostname })).toMatch(/network address/)
    expect(whyNoQr({ protocol: 'http:', hostname })).toMatch(/npm start -- --tls/)
  },
)

test.each([
  '192.168.1.5',
  'laptop.lan',
  'laptop',
  '[fd00::1]',
  'localhost.example.org',
  '128.0.0.1',
])('%s is not', (hostname) => {
  expect(isLoopbackName(hostname)).toBe(false)
  expect(whyNoQr({ protocol: 'https:', hostname })).toBeNull()
  expect(whyNoQr({ protocol: 'http:', hostname })).toMatch(/need https/)
})
