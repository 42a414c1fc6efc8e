/** Resolves to the path of a Chromium that starts; rejects when there is none to be had. */
export function findBrowser(): Promise<string>
