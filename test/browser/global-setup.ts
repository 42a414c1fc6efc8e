import { buildWhatChanged } from '../../demo/build.mjs'
import { findBrowser } from '../browser-binary.mjs'

/** The pages are tested as they are served: built. */
async function globalSetup(): Promise<void> {
  process.env['ZABRA_BROWSER'] ??= await findBrowser()
  await buildWhatChanged()
}

// Playwright takes a default export only.
export { globalSetup as default }
