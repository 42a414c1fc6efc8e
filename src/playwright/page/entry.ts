/** Bundled into one script that stands before the app's own, in the scope of its settings. */
import { startPageKit } from './page-kit.ts'
import type { PageSettings } from './page-news.ts'

declare const zabraKitSettings: PageSettings

startPageKit(zabraKitSettings)
