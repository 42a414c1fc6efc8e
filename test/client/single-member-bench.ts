// One whole member, Zab and memory disk included, with as many ways to it as a test wants.
import { createSingleMember, type SingleMember } from '../core/server/single-member.ts'
import { BenchConnection, BenchTransport, type ClientBench } from './ensemble-bench.ts'
import { ManualTicker, settle } from './manual-ticker.ts'

const STEP_MS = 250

export class SingleMemberBench implements ClientBench {
  readonly ticker = new ManualTicker()
  readonly member: SingleMember = createSingleMember()
  readonly memberCount = 1

  transport(): BenchTransport {
    return new BenchTransport(this, 0)
  }

  open(member: number): BenchConnection {
    const connection: BenchConnection = new BenchConnection(
      member,
      (bytes) => wire.send(bytes),
      () => wire.close(),
    )
    const wire = this.member.connect({
      onBytes: (bytes) => connection.receive(bytes.slice()),
      onClosed: (reason) => connection.fail(reason),
    })
    return connection
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      this.member.advance(STEP_MS)
      await this.ticker.advance(STEP_MS)
    }
    await settle()
  }
}
