/** Where the tab of a member is: a browser, as far as its tabs need it. */
import type { Page } from 'playwright/test'
import type { KitContext } from './kit-context.ts'

export interface TabHome {
  /** A page that shows nothing yet. */
  newPage(): Promise<Page>
  kit(): Promise<KitContext>
  /** SIGKILL to the whole browser: what a power cut leaves of a process. */
  kill(): Promise<void>
  /** SIGSTOP to all of its processes: a closed lid. Until `wake`, nothing of it answers. */
  sleep(): Promise<void>
  wake(): Promise<void>
}
