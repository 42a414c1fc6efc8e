/** The distribution's Firefox beside the Chromium of the other tests, with a profile of its own. */
import { fileURLToPath } from 'node:url'
import { findFirefox } from '../firefox-binary.mjs'
import type { BrowserOptions, FirefoxOptions } from '../../src/playwright/browser-process.ts'
import { test as base } from '../../src/playwright/fixtures.ts'

const DRIVEN_FIREFOX = fileURLToPath(new URL('./firefox-bidi.mjs', import.meta.url))
/** Finding one may mean to install it first. */
const FIND_TIMEOUT_MS = 600_000
const PREFERENCES = {
  // Members on one machine without any network besides the loopback.
  'media.peerconnection.ice.loopback': true,
  // A browser that was killed comes back without a page that asks what to do.
  'browser.sessionstore.resume_from_crash': false,
  'toolkit.startup.max_resumed_crashes': -1,
}

export interface FirefoxFixture {
  /** What makes a browser of the kit a Firefox. */
  readonly firefox: BrowserOptions
}

export const test = base.extend<object, FirefoxFixture>({
  firefox: [
    async ({}, use) => {
      await use(firefoxOptions(await findFirefox()))
    },
    { scope: 'worker', timeout: FIND_TIMEOUT_MS },
  ],
})

function firefoxOptions(binary: string): BrowserOptions {
  const env = { ...process.env, ZABRA_FIREFOX: binary }
  return {
    executablePath: DRIVEN_FIREFOX,
    firefox: { channel: 'moz-firefox', env, preferences: PREFERENCES },
  }
}

/** Where `inside` starts a program: in a network of its own, of that server. */
export function inNetwork(
  browser: BrowserOptions,
  inside: readonly string[],
  serverAddress: string,
): BrowserOptions {
  const env = { ...browser.firefox?.env, ZABRA_FIREFOX_INSIDE: JSON.stringify(inside) }
  const moved = { ...browser, firefox: { ...browser.firefox, env } }
  return withPreferences(moved, {
    // No names by multicast, which its bridge does not pass on, and no TLS.
    'media.peerconnection.ice.obfuscate_host_addresses': false,
    'dom.securecontext.allowlist': serverAddress,
  })
}

export function withPreferences(
  browser: BrowserOptions,
  preferences: NonNullable<FirefoxOptions['preferences']>,
): BrowserOptions {
  const all = { ...browser.firefox?.preferences, ...preferences }
  return { ...browser, firefox: { ...browser.firefox, preferences: all } }
}
