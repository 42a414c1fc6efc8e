/** What a znode costs in memory: in the workers of leader and follower, and of a tree in Node. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Page } from 'playwright'
import type { Browsers, Site } from './browsers.ts'
import { ProductEnsemble } from './product-ensemble.ts'
import { type Report, short } from './report.ts'
import { WorkerSession } from './worker-session.ts'

const MEMBERS = 3
const ENTRY_BYTES = 100
const PER_MEASURE = 100_000
/** Filled in steps, so that a slow machine stops in time and what is there is counted. */
const STEP = 5_000
/** More than the newest entries that a leader keeps for DIFF (500): those of the fill are large. */
const SMALL_WRITES = 700
const FILL_LIMIT_MS = 90_000
const TREE_PROGRAM = fileURLToPath(new URL('./tree-memory.ts', import.meta.url))

interface Heap {
  readonly usedBytes: number
  /** Of ArrayBuffers, which live outside. */
  readonly bufferBytes: number
}

export async function measureMemory(
  browsers: Browsers,
  site: Site,
  znodes: number,
): Promise<Report> {
  const ensemble = await ProductEnsemble.open(await browsers.contexts(MEMBERS), site.url)
  const [leader, follower] = await ensemble.byRole()
  if (leader === undefined || follower === undefined) throw new Error('two pages')
  await leader.evaluate(() => window.product.open('memory'))
  await fill(leader, 0, STEP)
  const heaps = async (): Promise<readonly [Heap, Heap]> => {
    await leader.evaluate((count) => window.product.writeMany('memory', count), SMALL_WRITES)
    return [await heapOf(leader), await heapOf(follower)]
  }
  const before = await heaps()
  const startMs = performance.now()
  let made = 0
  while (made < znodes && performance.now() - startMs < FILL_LIMIT_MS) {
    await fill(leader, STEP + made, STEP)
    made += STEP
  }
  const after = await heaps()
  await ensemble.close()
  const tree = await treeInNode(made)
  const found = [...after.map((heap, i) => difference(heap, before[i] ?? heap)), tree]
  const names = ["the leader's worker", "a follower's worker", 'the tree alone, in Node']
  return {
    title: `memory per ${PER_MEASURE} znodes of ${ENTRY_BYTES} B (${made} were made)`,
    cells: [
      ['', 'heap', 'buffers', 'together', 'per znode'],
      ...found.map((heap, i) => {
        const both = heap.usedBytes + heap.bufferBytes
        return [
          names[i] ?? '',
          megabytes((heap.usedBytes / made) * PER_MEASURE),
          megabytes((heap.bufferBytes / made) * PER_MEASURE),
          megabytes((both / made) * PER_MEASURE),
          `${short(both / made)} B`,
        ]
      }),
    ],
    notes: ['after a garbage collection; growth over a tree that had some nodes already'],
    figures: { made, before, after, tree },
  }
}

async function fill(page: Page, first: number, count: number): Promise<void> {
  await page.evaluate(([from, many, bytes]) => window.product.fill('/tree', from, many, bytes), [
    first,
    count,
    ENTRY_BYTES,
  ] as const)
}

async function heapOf(page: Page): Promise<Heap> {
  const worker = await WorkerSession.open(page)
  // Twice: what finalizers free shows at the second.
  await worker.call('HeapProfiler.collectGarbage')
  await worker.call('HeapProfiler.collectGarbage')
  const usage = (await worker.call('Runtime.getHeapUsage')) as {
    readonly usedSize?: number
    readonly backingStorageSize?: number
  }
  await worker.close()
  return {
    usedBytes: usage.usedSize ?? Number.NaN,
    bufferBytes: usage.backingStorageSize ?? Number.NaN,
  }
}

function difference(after: Heap, before: Heap): Heap {
  return {
    usedBytes: after.usedBytes - before.usedBytes,
    bufferBytes: after.bufferBytes - before.bufferBytes,
  }
}

/** In a process of its own: only there the collector can be called. */
async function treeInNode(znodes: number): Promise<Heap> {
  const args = ['--expose-gc', '--import', 'tsx', TREE_PROGRAM, String(znodes), String(ENTRY_BYTES)]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return JSON.parse(stdout) as Heap
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
