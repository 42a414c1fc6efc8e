/** News as one text, which is the least work for the driver: it copies objects field by field. */
import type { PageNews } from './page-news.ts'

interface WrittenBigint {
  readonly $bigint: string
}

export function newsToText(news: readonly PageNews[]): string {
  return JSON.stringify(news, (_key, value: unknown) => written(value))
}

export function newsFromText(text: string): readonly PageNews[] {
  return JSON.parse(text, (_key, value: unknown) => {
    const digits = (value as Partial<WrittenBigint> | null)?.$bigint
    return typeof digits === 'string' ? BigInt(digits) : value
  }) as readonly PageNews[]
}

/** A status has some, which JSON has not. */
export function written(value: unknown): unknown {
  return typeof value === 'bigint' ? ({ $bigint: String(value) } satisfies WrittenBigint) : value
}
