/** `envi` and `environment`: ZooKeeper's keys; there is no Java here, which it writes as <NA>. */
import { arch, homedir, hostname, release, tmpdir, type as osType, userInfo } from 'node:os'
import process from 'node:process'
import { getHeapStatistics } from 'node:v8'
import { fullVersion } from './product-version.ts'

const MEGABYTE = 1024 * 1024
const NONE = '<NA>'
/** Where Java's name is another one. */
const JAVA_ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'aarch64' }

export function environment(): [string, string][] {
  const {
    heap_size_limit: limit,
    total_heap_size: total,
    used_heap_size: used,
  } = getHeapStatistics()
  return [
    ['zookeeper.version', fullVersion()],
    ['host.name', hostname()],
    ['node.version', process.versions.node],
    ...['version', 'vendor', 'home', 'class.path', 'library.path'].map((key): [string, string] => [
      `java.${key}`,
      NONE,
    ]),
    ['java.io.tmpdir', tmpdir()],
    ['java.compiler', NONE],
    ['os.name', osType()],
    ['os.arch', JAVA_ARCHITECTURES[arch()] ?? arch()],
    ['os.version', release()],
    ['user.name', userName()],
    ['user.home', homedir()],
    ['user.dir', process.cwd()],
    ['os.memory.free', megabytes(total - used)],
    ['os.memory.max', megabytes(limit)],
    ['os.memory.total', megabytes(total)],
  ]
}

/** Whoever runs this process; a number has a name only where there is a list of users. */
export function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? NONE)
  }
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / MEGABYTE)}MB`
}
