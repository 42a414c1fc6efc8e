/** Limits and usage of all quotas, by the first part of their paths (D58, O19). */
import { quotaValue, type QuotaText } from '../../core/jute/quota-text.ts'
import type { Quotas } from '../../core/tree/quotas.ts'
import { namespaceOf } from './core-figures.ts'

/** A hard limit counts more than a soft one. */
export function quotaLimits(quotas: Quotas, of: 'count' | 'bytes'): ReadonlyMap<string, number> {
  const hard = of === 'count' ? 'countHardLimit' : 'byteHardLimit'
  return summed(quotas, ({ limits }) => {
    const limit = quotaValue(limits, hard)
    return limit > -1 ? limit : quotaValue(limits, of)
  })
}

export function quotaUsage(quotas: Quotas, of: 'count' | 'bytes'): ReadonlyMap<string, number> {
  return summed(quotas, ({ stats }) => quotaValue(stats, of))
}

/** Also where −1 says that there is no limit, as ZooKeeper adds them. */
function summed(
  quotas: Quotas,
  read: (quota: { readonly limits: QuotaText; readonly stats: QuotaText }) => number,
): ReadonlyMap<string, number> {
  const sums = new Map<string, number>()
  for (const quota of quotas.all()) {
    const namespace = namespaceOf(quota.path)
    sums.set(namespace, (sums.get(namespace) ?? 0) + read(quota))
  }
  return sums
}
