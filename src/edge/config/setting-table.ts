/** Every key that this server honours, and how a name finds its row. */
import { TLS_KEYS } from '../tls/tls-keys.ts'
import { FILE_SETTINGS } from './file-settings.ts'
import { QUORUM_SETTINGS } from './quorum-settings.ts'
import { SERVER_SETTINGS } from './server-settings.ts'
import { SERVICE_SETTINGS } from './service-settings.ts'
import type { SettingRow } from './setting-row.ts'
import { TLS_SETTINGS } from './tls-settings.ts'
import { WITHOUT_EFFECT } from './without-effect.ts'

export const SETTING_ROWS: readonly SettingRow[] = [
  ...FILE_SETTINGS,
  ...SERVER_SETTINGS,
  ...QUORUM_SETTINGS,
  ...SERVICE_SETTINGS,
  ...TLS_SETTINGS,
]

const ROWS = new Map(
  SETTING_ROWS.flatMap((row) => [row.key, ...(row.alsoAs ?? [])].map((name) => [name, row])),
)

/** By its key or one of its other names. */
export function settingRow(name: string): SettingRow | null {
  return ROWS.get(name) ?? null
}

/** The documentation: what is honoured, and what means nothing here, in Markdown. */
export function settingTable(): string {
  const honoured = SETTING_ROWS.map((row) => {
    const names = [row.key, ...(row.alsoAs ?? [])].map((name) => `\`${name}\``).join(', ')
    return `| ${names} | ${row.kind} | ${row.byDefault} | ${row.means} |`
  })
  const idle = WITHOUT_EFFECT.map(({ key, why, isRefused }) => {
    return `| \`${key}\` | ${why}${isRefused === true ? ': it stops the start' : ''} |`
  })
  const tls = TLS_KEYS.map(({ key, kind, means }) => {
    return `| \`ssl.${key}\`, \`ssl.quorum.${key}\` | ${kind} | ${means} |`
  })
  const lines = [
    ...['| key | value | default | what it is |', '|---|---|---|---|', ...honoured, ''],
    ...['| TLS of clients, between servers | value | what it is |', '|---|---|---|', ...tls, ''],
    ...['| key without effect | why |', '|---|---|', ...idle, ''],
  ]
  return lines.join('\n')
}
