import { buildWhatChanged } from '../../demo/build.mjs'
import { findBrowser } from '../browser-binary.mjs'

/** The pages are tested as they are served: built. */
export default async function globalSetup(): Promise<void> {
  process.env['ZABRA_BROWSER'] ??= await findBrowser()
  await buildWhatChanged()
}
