/** Files that the kit puts into pages: beside it in the package, built from the sources here. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { PageSettings } from './page/page-news.ts'

const HERE = new URL('.', import.meta.url)
const LIB = HERE.pathname.endsWith('/src/playwright/') ? new URL('../../lib/', HERE) : HERE

/** Served by the kit's own server: a page that joins the room of its address and shows nothing. */
export const EMPTY_APP_FOLDER: string = fileURLToPath(new URL('empty-app/', LIB))
export const EMPTY_APP_PAGE = 'index.html'

/** The command `zabra`, as the package has it. */
export const COMMAND_FILE: string = fileURLToPath(new URL('zabra.js', LIB))

/** Address of the worker with faults, on whatever origin the app has. */
export const FAULT_WORKER_PATH = '/__zabra/worker-with-faults.js'

/** A page of the same origin without the app, for looking at what machines have stored. */
export const BLANK_PATH = '/__zabra/blank'

const kept = new Map<string, Promise<string>>()

function fileOf(name: string): Promise<string> {
  const known = kept.get(name) ?? readFile(new URL(name, LIB), 'utf8')
  kept.set(name, known)
  return known
}

export function faultWorker(): Promise<string> {
  return fileOf('worker-with-faults.js')
}

/** What runs in each page before the app's code. */
export async function pageScript(settings: PageSettings): Promise<string> {
  const code = await fileOf('playwright-page.js')
  return `(() => {\nconst zabraKitSettings = ${JSON.stringify(settings)};\n${code}\n})()`
}
