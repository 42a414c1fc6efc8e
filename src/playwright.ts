/** `zabra/playwright`: rooms of real tabs under test, and what can befall them. */
export {
  allPromises,
  expect,
  judge,
  linearizable,
  noLostWrites,
  oneLeader,
  watchesInOrder,
} from './playwright/expectations.ts'
export type { KitExpect } from './playwright/expectations.ts'
export { test } from './playwright/fixtures.ts'
export type {
  EnsembleRequest,
  KitFixtures,
  KitOptions,
  KitTest,
  KitWorkerFixtures,
  OpenEnsemble,
} from './playwright/fixtures.ts'
export { BrowserProcess } from './playwright/browser-process.ts'
export type { BrowserOptions, FirefoxOptions } from './playwright/browser-process.ts'
export { Ensemble } from './playwright/ensemble.ts'
export type { KitStorageFault, MemberRef, StorageFaultOptions } from './playwright/ensemble.ts'
export { TabClient } from './playwright/tab-client.ts'
export type { TabClientOptions } from './playwright/tab-client.ts'
export { NodeMember } from './playwright/node-member.ts'
export type { Member } from './playwright/member.ts'
export type { WaitOptions } from './playwright/page-line.ts'
export { Site } from './playwright/site.ts'
export type { Promised, Verdict } from './history/judge-history.ts'
export type { Delay } from './testing/ensemble-faults.ts'
