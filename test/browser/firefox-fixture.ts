/** The distribution's Firefox beside the Chromium of the other tests, with a profile of its own. */
import { fileURLToPath } from 'node:url'
import { findFirefox } from '../firefox-binary.mjs'
import type { BrowserProcess } from '../../src/playwright/browser-process.ts'
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

export interface FirefoxFixtures {
  readonly newFirefox: (options?: { readonly isPrivate?: boolean }) => Promise<BrowserProcess>
}

export const test = base.extend<FirefoxFixtures, { readonly firefoxBinary: string }>({
  firefoxBinary: [
    async ({}, use) => {
      await use(await findFirefox())
    },
    { scope: 'worker', timeout: FIND_TIMEOUT_MS },
  ],
  newFirefox: async ({ firefoxBinary, newBrowser }, use) => {
    await use(({ isPrivate = false } = {}) =>
      newBrowser({
        executablePath: DRIVEN_FIREFOX,
        firefox: {
          channel: 'moz-firefox',
          env: { ...process.env, ZABRA_FIREFOX: firefoxBinary },
          preferences: { ...PREFERENCES, 'browser.privatebrowsing.autostart': isPrivate },
        },
      }),
    )
  },
})
