import { describe, expect, it } from 'vitest'
import { isRefused, newestToken, startChainCheck } from '../../../src/core/founding/start-chain.ts'

const CHAIN = ['7.aa', '8.bb', '9.cc']

describe('the start chain', () => {
  it.each([
    ['never met', null, CHAIN, 'first-meeting'],
    ['the newest start', '9.cc', CHAIN, 'known'],
    ['an older start', '7.aa', CHAIN, 'known'],
    ['a start that the profile forgot', '10.dd', CHAIN, 'rolled-back'],
    ['another start of the same life: forked after a roll-back', '9.zz', CHAIN, 'rolled-back'],
    ['a start from before the chain', '6.ff', CHAIN, 'beyond-chain'],
    ['nothing that is a token', 'what', CHAIN, 'rolled-back'],
    ['an empty chain', null, [], 'malformed'],
    ['a chain with a hole', null, ['7.aa', '9.cc'], 'malformed'],
    ['a chain of junk', '7.aa', ['x', '7.aa'], 'malformed'],
  ] as const)('%s', (_, seen, chain, verdict) => {
    expect(startChainCheck(seen, chain)).toBe(verdict)
  })

  it('refuses whatever was not proved', () => {
    expect(isRefused('known') || isRefused('first-meeting')).toBe(false)
    for (const verdict of ['rolled-back', 'beyond-chain', 'malformed'] as const) {
      expect(isRefused(verdict)).toBe(true)
    }
  })

  it('a rolled-back profile that started again is refused by whoever saw the lost start', () => {
    const backup = ['1.a', '2.b']
    const lost = newestToken([...backup, '3.c'])
    const forked = [...backup, '3.x', '4.y']
    expect(startChainCheck(lost, forked)).toBe('rolled-back')
    expect(startChainCheck('2.b', forked)).toBe('known')
  })
})
