/** The admin commands that do something, for those who may do everything to `/` (O17, O18). */
import { createReadStream } from 'node:fs'
import { messageOf } from '../../core/base/message-of.ts'
import { formatZxid } from '../../core/base/zxid.ts'
import type { AdminCommand, CommandAnswer, CommandContext, Serving } from './command.ts'
import { writeSnapshot } from './snapshot-file.ts'

/** Body of `shed_connections`, bytes. Ours: it is one number. */
const SHED_BODY_BYTES_MAX = 4_096
/** Body of `restore`, bytes. Ours: a server holds it three times for a moment. */
const RESTORE_BODY_BYTES_MAX = 2 ** 30
const PERCENT = 100

export const ACTION_COMMANDS: readonly AdminCommand[] = [
  {
    names: ['snapshot', 'snap'],
    method: 'GET',
    needsServing: true,
    needsAuthorization: true,
    run: takeSnapshot,
  },
  {
    names: ['restore', 'rest'],
    method: 'POST',
    needsServing: true,
    needsAuthorization: true,
    run: restore,
  },
  {
    names: ['shed_connections', 'shed'],
    method: 'POST',
    needsServing: true,
    needsAuthorization: true,
    run: shedConnections,
  },
]

async function takeSnapshot(context: CommandContext, serving: Serving): Promise<CommandAnswer> {
  const { view, counts, limits, request } = context
  if (!view.settings.adminSnapshotEnabled) return { status: 503 }
  const nowMs = view.now().elapsedMs
  if (!limits.snapshot.allow(nowMs)) {
    counts.snapshotsLimited++
    return { status: 429 }
  }
  try {
    const written = await writeSnapshot(view.dataDirectory, serving.server.beginSnapshot())
    view.figures.storage.snapshotMs.add(view.now().elapsedMs - nowMs)
    const headers = { last_zxid: formatZxid(written.zxid), snapshot_size: String(written.bytes) }
    if (request.query.get('streaming')?.toLowerCase() === 'false') return { headers }
    return { headers, stream: createReadStream(written.path) }
  } catch (error) {
    counts.snapshotErrors++
    return { status: 500, error: messageOf(error) }
  }
}

/** A snapshot as the body, as `snapshot` gives it; the leader's state, and so everybody's. */
async function restore(context: CommandContext): Promise<CommandAnswer> {
  const { view, counts, limits, request } = context
  const run = view.administered?.restore
  if (!view.settings.adminRestoreEnabled || run === undefined) return { status: 503 }
  const nowMs = view.now().elapsedMs
  if (!limits.restore.allow(nowMs)) {
    counts.restoresLimited++
    return { status: 429 }
  }
  try {
    const body = await request.body(RESTORE_BODY_BYTES_MAX)
    if (body === null) return { status: 413, error: 'the snapshot is too long' }
    if (body.length === 0) return { status: 400, error: 'a snapshot is needed as the body' }
    const outcome = await run([body])
    if (outcome.kind === 'restored') {
      view.figures.storage.restoreMs.add(view.now().elapsedMs - nowMs)
      return { fields: { last_zxid: outcome.zxid } }
    }
    counts.restoreErrors++
    const isElsewhere = outcome.kind === 'refused' && outcome.why === 'not-leading'
    // Whoever asked the wrong server may ask the right one at once, and this one when it leads.
    if (isElsewhere) limits.restore.forget()
    return { status: isElsewhere ? 503 : 500, error: outcome.text }
  } catch (error) {
    counts.restoreErrors++
    return { status: 500, error: messageOf(error) }
  }
}

async function shedConnections({ view, request }: CommandContext): Promise<CommandAnswer> {
  const percentage = await percentageOf(request)
  if (typeof percentage === 'string') return { status: 400, error: percentage }
  const taps = [...view.figures.traffic.connections]
  const shed = taps.filter(() => Math.random() * PERCENT < percentage)
  for (const tap of shed) tap.shed('shed_connections_command')
  return { fields: { connections_shed: shed.length, percentage_requested: percentage } }
}

/** Or what is wrong with it. */
async function percentageOf(request: CommandContext['request']): Promise<number | string> {
  const bytes = await request.body(SHED_BODY_BYTES_MAX)
  if (bytes === null) return 'Request body is too long'
  if (bytes.length === 0) return 'Request body is required'
  let said: unknown
  try {
    said = JSON.parse(new TextDecoder().decode(bytes))
  } catch (error) {
    return `Invalid JSON or failed to read request body: ${String(error)}`
  }
  const percentage =
    typeof said === 'object' && said !== null && 'percentage' in said ? said.percentage : undefined
  if (percentage === undefined) return 'Missing required field: percentage'
  if (typeof percentage !== 'number' || !(percentage >= 0 && percentage <= PERCENT)) {
    return 'Percentage must be between 0 and 100'
  }
  return percentage
}
