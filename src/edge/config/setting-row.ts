/** What one key of a configuration is: its names, how its value is read, and where it goes. */
import { DEFAULT_SETTINGS, type ServerSettings } from '../settings.ts'
import { ConfigError } from './config-error.ts'

type Fields = Omit<ServerSettings, 'dataDirectory'>

/** The fields whose value is a `T`. */
type FieldOf<T> = {
  [F in keyof Fields]: T extends Fields[F] ? F : never
}[keyof Fields]

interface Named {
  /** As it is written in zoo.cfg. */
  readonly key: string
  /**
   * Other names of it. Each name also works as `-Dzookeeper.NAME` and `-DNAME`: of some keys
   * ZooKeeper reads the one, of some the other.
   */
  readonly alsoAs?: readonly string[]
  readonly means: string
}

interface Row extends Named {
  /** In words, for the documentation. */
  readonly kind: string
  readonly byDefault: string
  /** Throws a ConfigError that begins with the key. */
  readonly read: (text: string) => Partial<ServerSettings>
}
export type SettingRow = Row

interface Bounds {
  readonly min?: number
  readonly max?: number
  /** What the number of the file is multiplied with. */
  readonly times?: number
  readonly unit?: string
  /** Where the default follows from others. */
  readonly byDefault?: string
}

/** A whole number of Java's int, unless bounds say otherwise. */
const INT_MAX = 0x7fffffff
const PORT_MAX = 65_535

export function number(field: FieldOf<number>, row: Named, bounds: Bounds = {}): SettingRow {
  const { min = 0, max = INT_MAX, times = 1, unit, byDefault } = bounds
  const preset = DEFAULT_SETTINGS[field]
  return {
    ...row,
    kind: `${min}–${max === INT_MAX ? '…' : max}${unit === undefined ? '' : ` ${unit}`}`,
    byDefault: byDefault ?? (typeof preset === 'number' ? String(preset / times) : 'none'),
    read: (text) => ({ [field]: parseWhole(row.key, text, min, max) * times }),
  }
}

export function port(field: FieldOf<number>, row: Named): SettingRow {
  return number(field, row, { max: PORT_MAX })
}

/** Where ZooKeeper reads true and false, or yes and no: either is understood everywhere. */
export function flag(field: FieldOf<boolean>, row: Named): SettingRow {
  return {
    ...row,
    kind: 'true or false',
    byDefault: String(DEFAULT_SETTINGS[field]),
    read: (text) => ({ [field]: parseFlag(row.key, text) }),
  }
}

/** The value means something else than its words, or more than one field. */
export function custom(row: Named & Pick<Row, 'kind' | 'byDefault' | 'read'>): SettingRow {
  return row
}

export function text(field: FieldOf<string>, row: Named, byDefault: string): SettingRow {
  return { ...row, kind: 'text', byDefault, read: (value) => ({ [field]: value }) }
}

/** A part of one, as 0.02. */
export function fraction(field: FieldOf<number>, row: Named): SettingRow {
  return {
    ...row,
    kind: '0–1',
    byDefault: String(DEFAULT_SETTINGS[field]),
    read: (text) => {
      const value = Number(text)
      if (!/^\d{0,3}(\.\d{1,12})?$/.test(text) || text === '' || value > 1) {
        throw new ConfigError(`${row.key}=${text}: it is a number from 0 to 1`)
      }
      return { [field]: value }
    },
  }
}

/** Words between commas. */
export function words(field: FieldOf<readonly string[]>, row: Named): SettingRow {
  const preset = DEFAULT_SETTINGS[field]
  return {
    ...row,
    kind: 'words between commas',
    byDefault: preset.join(', ') || 'none',
    read: (value) => ({ [field]: parseWords(value) }),
  }
}

export function parseWords(value: string): string[] {
  const all = value.split(',').map((word) => word.trim())
  return all.filter((word) => word !== '')
}

export function parseWhole(key: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (!/^[+-]?\d{1,15}$/.test(text) || value < min || value > max) {
    throw new ConfigError(`${key}=${text}: it is a whole number from ${min} to ${max}`)
  }
  return value
}

export function parseFlag(key: string, text: string): boolean {
  switch (text.toLowerCase()) {
    case 'true':
    case 'yes':
      return true
    case 'false':
    case 'no':
      return false
    default:
      throw new ConfigError(`${key}=${text}: it is true or false`)
  }
}
