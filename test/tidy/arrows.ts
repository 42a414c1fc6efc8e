// Who may import whom. The picture of the design as one table, and the rules that keep it.
import type { Import, Rule, Source } from './source.ts'

/** Faces: they put the parts together, so they may know them all. */
const ALL = ['src', 'worker']

/**
 * Folder, and what it may import besides itself. `*` stands for one folder of its parent, so
 * folders under it do not see each other. tree and zab never see each other; server joins them.
 */
export const ARROWS: Readonly<Record<string, readonly string[]>> = {
  'src/core/base': [],
  'src/core/jute': ['src/core/base'],
  'src/core/tree': ['src/core/jute', 'src/core/base'],
  'src/core/zab': ['src/core/jute', 'src/core/base'],
  'src/core/effect-gate': ['src/core/zab', 'src/core/base'],
  'src/core/server': ['src/core'],
  'src/core/founding': ['src/core/jute', 'src/core/base'],
  'src/ports': ['src/core'],
  'src/runtime': ['src/core', 'src/ports'],
  // It speaks the protocol of zab: its frames and packets are what it puts on the wire.
  'src/adapters/tcp': ['src/ports', 'src/core/zab', 'src/core/jute', 'src/core/base'],
  'src/adapters/*': ['src/ports', 'src/core/jute', 'src/core/base'],
  'src/signaling': ['src/ports', 'src/core/base'],
  // Judges of what clients saw: in the simulator, in tests of users, in the browser.
  'src/history': ['src/core/jute', 'src/core/base', 'src/core/tree'],
  'src/client': ['src/ports', 'src/core/jute', 'src/core/base'],
  'src/recipes': ['src/client'],
  'src/cli': ['src/client', 'src/recipes', 'src/core/jute', 'src/core/base'],
  'src/index.ts': ALL,
  'src/client.ts': ['src/client', 'src/core/jute'],
  'src/browser': ALL,
  'src/edge': ALL,
  'src/testing': ALL,
  // Faults of ports; what uses them is for tests only.
  'src/faults': ['src/ports', 'src/core/base'],
  'src/playwright': ALL,
  worker: ALL,
  demo: ALL,
  test: [...ALL, 'demo', 'vite.config.ts'],
}

/** Of these, `import type` only: interfaces need no code of the core. */
const TYPES_ONLY: readonly string[] = ['src/ports']

/** Package, and the folders that may import it. Tests may import any. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  // The command of a clone is bundled when it is called.
  esbuild: ['src/edge'],
  comlink: [
    'worker',
    'demo',
    'src/browser',
    'src/index.ts',
    'src/edge',
    'src/testing',
    'src/playwright',
  ],
  idb: ['src/adapters/indexeddb'],
  'simple-peer': ['src/adapters/webrtc', 'src/edge'],
  'prom-client': ['src/edge/admin'],
  // Not the sources: what a user installs.
  zabra: ['demo/example-app', 'demo/example-lock'],
  vitest: ['demo/example-lock'],
  // The test runner of whoever uses the kit.
  playwright: ['src/playwright'],
  uqr: ['demo'],
  ws: ['src/signaling', 'src/adapters/websocket', 'src/edge'],
  'node:': [
    'src/edge',
    'src/testing',
    'src/playwright',
    'src/signaling',
    'src/adapters/files',
    'src/adapters/tcp',
  ],
}

export const arrows: Rule = (sources) =>
  sources.flatMap((source) => {
    const home = Object.keys(ARROWS).find((folder) => isIn(source.path, folder))
    if (home === undefined) return [`${source.path}:1 is in no folder of the table of arrows`]
    return source.imports.flatMap((wanted) => {
      const wrong = wrongWith(wanted, source, home)
      return wrong === undefined ? [] : [`${source.path}:${wanted.line} ${wrong}`]
    })
  })

function wrongWith(wanted: Import, source: Source, home: string): string | undefined {
  const { path, specifier } = wanted
  if (path === undefined) return isPackageAllowed(specifier, source.path) ? undefined : forbidden()
  if (!/\.(ts|js|mjs|css|json)(\?\w+)?$/.test(path))
    return `imports '${specifier}' without its ending`
  if (isIn(path, home) && sameMember(path, source.path, home)) return undefined
  if (!ARROWS[home]?.some((folder) => isIn(path, folder))) return forbidden()
  if (TYPES_ONLY.includes(home) && !wanted.typeOnly) return `${home} may import types only`
  return undefined

  function forbidden(): string {
    return `${home} may not import '${specifier}'`
  }
}

function isPackageAllowed(specifier: string, path: string): boolean {
  if (isIn(path, 'test')) return true
  // Plain scripts of the pages' folder run in Node; the pages themselves do not.
  if (isIn(path, 'demo') && path.endsWith('.mjs')) return true
  const name = Object.keys(PACKAGES).find(
    (known) =>
      specifier === known || specifier.startsWith(known.endsWith(':') ? known : `${known}/`),
  )
  return name !== undefined && PACKAGES[name]!.some((folder) => isIn(path, folder))
}

/** `src/core/zab` holds `src/core/zab/vote.ts`, and `src/core/zab.ts` when it is one file. */
function isIn(path: string, folder: string): boolean {
  const escaped = folder.replaceAll('.', '\\.').replaceAll('*', '[^/]+')
  return new RegExp(`^${escaped}(?:/|$|\\.ts$)`).test(path)
}

/** Under `src/adapters/*` two paths are at home together only in the same adapter. */
function sameMember(path: string, other: string, home: string): boolean {
  const depth = home.split('/').length
  return !home.includes('*') || path.split('/')[depth - 1] === other.split('/')[depth - 1]
}

/** No file imports itself by way of others; each cycle is told once, from its first file. */
export const cycles: Rule = (sources) => {
  const known = new Map(sources.map((source) => [source.path, source]))
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) {
      const cycle = [...way.slice(way.indexOf(path)), path]
      found.push(`${path}:1 is in a cycle of imports: ${cycle.join(' → ')}`)
      return
    }
    if (done.has(path)) return
    for (const { path: next } of known.get(path)?.imports ?? []) {
      if (next !== undefined && known.has(next)) visit(next, [...way, path])
    }
    done.add(path)
  }
  for (const path of known.keys()) visit(path, [])
  return found
}
