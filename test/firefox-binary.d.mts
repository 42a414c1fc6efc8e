/** Resolves to the path of a Firefox that starts; rejects when there is none to be had. */
export function findFirefox(): Promise<string>
