import { buildWhatChanged } from '../../demo/build.mjs'
import { buildPackageWhenChanged } from '../../demo/build-package.mjs'
import { findBrowser } from '../browser-binary.mjs'

/** The pages are tested as they are served: built. The kit puts parts of the package into them. */
async function globalSetup(): Promise<void> {
  process.env['ZABRA_BROWSER'] ??= await findBrowser()
  await buildWhatChanged()
  await buildPackageWhenChanged()
}

// Playwright takes a default export only.
export { globalSetup as default }
