/**
 * Playwright's options of what a page sees and may do. It gives them to a browser that starts, so
 * one that runs already, for a test with others, has to start anew.
 */
import type { PlaywrightTestOptions, TestInfo } from 'playwright/test'

export interface LookFixture {
  /** Two browsers with the same are alike. */
  readonly look: string
}

/** Their names must stand here: Playwright reads them from the text of the function. */
export async function look(
  {
    acceptDownloads,
    baseURL,
    bypassCSP,
    colorScheme,
    contextOptions,
    deviceScaleFactor,
    extraHTTPHeaders,
    geolocation,
    hasTouch,
    httpCredentials,
    ignoreHTTPSErrors,
    isMobile,
    javaScriptEnabled,
    locale,
    offline,
    permissions,
    proxy,
    serviceWorkers,
    timezoneId,
    userAgent,
    viewport,
  }: PlaywrightTestOptions,
  use: (look: string) => Promise<void>,
  { testId }: TestInfo,
): Promise<void> {
  // Between two tests all permissions are withdrawn, these too.
  const granted = permissions === undefined ? [] : [testId, permissions]
  const page = [baseURL, colorScheme, deviceScaleFactor, hasTouch, isMobile, userAgent, viewport]
  const place = [extraHTTPHeaders, geolocation, locale, offline, proxy, timezoneId]
  const rights = [acceptDownloads, bypassCSP, httpCredentials, ignoreHTTPSErrors, javaScriptEnabled]
  const all = [granted, page, place, rights, contextOptions, serviceWorkers]
  await use(JSON.stringify(all))
}
