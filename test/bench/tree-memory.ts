/** `node --expose-gc --import tsx tree-memory.ts ZNODES BYTES`: growth of the heap, as JSON. */
import { TreeDriver } from '../core/tree/tree-driver.ts'

const [znodes = 0, bytes = 0] = process.argv.slice(2).map(Number)
const collect = (globalThis as { readonly gc?: () => void }).gc
if (collect === undefined) throw new Error('start it with --expose-gc')

const driver = new TreeDriver()
driver.create('/tree')
const before = usage(collect)
for (let i = 0; i < znodes; i++) {
  const data = new Uint8Array(bytes).fill(i)
  driver.create(`/tree/${String(i).padStart(10, '0')}`, { data })
}
const after = usage(collect)
// Still needed here, so that it is counted.
if (driver.tree.store.nodeCount <= znodes) throw new Error('nodes are missing')
console.log(
  JSON.stringify({
    usedBytes: after.usedBytes - before.usedBytes,
    bufferBytes: after.bufferBytes - before.bufferBytes,
  }),
)

function usage(gc: () => void): { usedBytes: number; bufferBytes: number } {
  gc()
  gc()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return { usedBytes: heapUsed, bufferBytes: arrayBuffers }
}
