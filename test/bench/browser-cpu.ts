/** Processor time as Linux counts it, of all that this process started: the browser as a whole. */
import { readdir, readFile } from 'node:fs/promises'

/** USER_HZ, the unit of /proc, is this on every platform that Chromium runs on. */
const MS_PER_TICK = 10

/** Ids of this process's children, their children and so on; none where there is no /proc. */
export async function startedProcesses(): Promise<string[]> {
  const children = new Map<string, string[]>()
  for (const id of await processes()) {
    const { parent } = await statOf(id)
    children.set(parent, [...(children.get(parent) ?? []), id])
  }
  const found = [...(children.get(String(process.pid)) ?? [])]
  for (const id of found) found.push(...(children.get(id) ?? []))
  return found
}

/** Of the whole browser, all its processes; NaN where that is not known. */
export async function browserCpuMs(): Promise<number> {
  const started = await startedProcesses()
  if (started.length === 0) return Number.NaN
  const all = await Promise.all(started.map(statOf))
  return all.reduce((sum, { cpuMs }) => sum + cpuMs, 0)
}

async function processes(): Promise<string[]> {
  const names = await readdir('/proc').catch(() => [])
  return names.filter((name) => /^\d+$/.test(name))
}

/** A process that is gone meanwhile used nothing and has no parent. */
async function statOf(id: string): Promise<{ readonly parent: string; readonly cpuMs: number }> {
  const text = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => '')
  // The name, in brackets, may hold anything; behind it: state, parent, …, user and system time.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
  return { parent: fields[1] ?? '', cpuMs: ticks * MS_PER_TICK }
}
