/** Which commands there are, and the list that a wrong one is answered with (C7, C32). */

import { usageOf, type Command, type ShellMode } from './command.ts'
import { addauth } from './commands/addauth.ts'
import { close } from './commands/close.ts'
import { config } from './commands/config.ts'
import { create } from './commands/create.ts'
import { deleteall, rmr } from './commands/deleteall.ts'
import { deleteNode } from './commands/delete.ts'
import { getAcl } from './commands/get-acl.ts'
import { get } from './commands/get.ts'
import { ls } from './commands/ls.ts'
import { ls2 } from './commands/ls2.ts'
import { getAllChildrenNumber, getEphemerals, whoami } from './commands/queries.ts'
import { delquota, listquota, setquota } from './commands/quota.ts'
import { setAcl } from './commands/set-acl.ts'
import { reconfig } from './commands/reconfig.ts'
import { set } from './commands/set.ts'
import { stat } from './commands/stat.ts'
import { sync } from './commands/sync.ts'
import { version } from './commands/version.ts'
import { addWatch, removewatches } from './commands/watches.ts'

const COMMANDS: readonly Command[] = [
  ...[close, create, deleteNode, deleteall, rmr, set, get, ls, ls2, getAcl, setAcl, stat, sync],
  ...[addauth, removewatches, getEphemerals, getAllChildrenNumber, version, addWatch, whoami],
  ...[setquota, listquota, delquota, config, reconfig],
]

/** Commands of the shell itself, which it handles before it looks at the connection (C8). */
const SHELL_COMMANDS: ReadonlyMap<string, string> = new Map([
  ['connect', 'host:port'],
  ['history', ''],
  ['redo', 'cmdno'],
  ['printwatches', 'on|off'],
  ['quit', ''],
])

/** 3.4 prints its list in the order of a Java hash table; this is that order. */
const OLD_ORDER =
  'stat set ls delquota ls2 setAcl setquota history redo printwatches delete sync listquota rmr ' +
  'get create addauth quit getAcl close connect'

export function findCommand(name: string, mode: ShellMode): Command | null {
  const command = COMMANDS.find((candidate) => candidate.name === name)
  return command !== undefined && usageOf(command, mode) !== null ? command : null
}

/** Every word that can begin a line, in the order of the list. */
export function commandNames(mode: ShellMode): string[] {
  return usages(mode).map(([name]) => name)
}

export function usageLines(mode: ShellMode): string[] {
  const options = mode === '3.4' ? '' : ' -client-configuration properties-file'
  const lines = usages(mode).map(([name, usage]) => `\t${name} ${usage}`)
  return [`ZooKeeper -server host:port${options} cmd args`, ...lines]
}

function usages(mode: ShellMode): [name: string, usage: string][] {
  const all = new Map(SHELL_COMMANDS)
  if (mode !== '3.4') all.set('exit', '')
  for (const command of COMMANDS) {
    const usage = usageOf(command, mode)
    if (usage !== null) all.set(command.name, usage)
  }
  const names = mode === '3.4' ? OLD_ORDER.split(' ') : [...all.keys()].sort()
  return names.flatMap((name) => {
    const usage = all.get(name)
    return usage === undefined ? [] : [[name, usage] as [string, string]]
  })
}
