/** Everything under test runs in the worker, as in the product; the test drives it from here. */
import * as Comlink from 'comlink'
import { IndexedDbIdentities } from '../../../src/adapters/indexeddb/identity-store.ts'
import { openIdentity } from '../../../src/adapters/tabs/identity-lock.ts'
import { requestPersistence } from '../../../src/adapters/tabs/persistence.ts'
import type { StorageLab } from './storage.worker.ts'

const worker = new Worker(new URL('./storage.worker.ts', import.meta.url), { type: 'module' })
const lab = Comlink.wrap<StorageLab>(worker)

declare global {
  interface Window {
    lab: typeof lab
    /** Ends the worker as a crash would: nothing runs in it any more. */
    endWorker(): void
    /** Made by the page, let go, and opened by the worker at once; the incarnations of both. */
    handOver(room: string): Promise<string[]>
    requestPersistence: typeof requestPersistence
    /** A callback that the worker may call. */
    proxied: typeof Comlink.proxy
  }
}

window.lab = lab
window.endWorker = () => worker.terminate()
window.handOver = async (room) => {
  const made = await openIdentity({ room, source: new IndexedDbIdentities(room) })
  await made.release()
  const { incarnation } = await lab.open(room)
  await lab.release()
  return [made.incarnation, incarnation]
}
window.requestPersistence = requestPersistence
window.proxied = Comlink.proxy
