/** Who is on the virtual network. */
import type { VirtualProcess } from './virtual-process.ts'

export interface Station {
  /** For people, and unique. */
  readonly name: string
  readonly process: VirtualProcess
}
