export function buildPackage(): Promise<void>
export function buildPackageWhenChanged(): Promise<void>
export function bundledAlone(code: string, without?: readonly (string | RegExp)[]): Promise<string>
