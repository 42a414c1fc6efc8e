export interface BuiltChunk {
  readonly fileName: string
  readonly code: string
  readonly isEntry: boolean
  /** Without the extension: of the entry, or of the module after which the chunk is called. */
  readonly name: string
  readonly imports: readonly string[]
  readonly dynamicImports: readonly string[]
}

type Entries = Readonly<Record<string, string>>

export const PAGES: Entries
export const WORKER: Entries
export function buildPackage(): Promise<void>
export function buildPackageWhenChanged(): Promise<void>
export function bundled(input: Entries): Promise<readonly BuiltChunk[]>
