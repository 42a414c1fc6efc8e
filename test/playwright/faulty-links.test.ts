import { expect, test } from 'vitest'
import { FaultyLinks } from '../../src/faults/faulty-links.ts'
import type { LinkRule } from '../../src/faults/link-rules.ts'
import type { Link } from '../../src/ports/link.ts'

const MESSAGES = 20

/** What arrives of a few messages, said over a link of either kind, under one rule for all. */
function heard(isCounted: boolean, rule: LinkRule): number[] {
  const all: number[] = []
  const link: Link = {
    send: (message) => all.push(message[0] ?? -1),
    bufferedBytes: 0,
    onMessage: () => {},
    onWritable: () => {},
    onClose: () => {},
    close: () => {},
  }
  const links = new FaultyLinks({ now: () => 0, after: () => () => {} })
  links.seed('one')
  const rules = { peers: {}, others: rule }
  links.set({ inbound: rules, outbound: rules })
  const wrapped = links.wrap('link 1', link, { isCounted })
  for (let i = 0; i < MESSAGES; i++) wrapped.send(Uint8Array.of(i))
  return all
}

const IN_ORDER = Array.from({ length: MESSAGES }, (_, i) => i)

test.each([{ duplicate: 0.5 }, { reorder: 0.5 }])('%j befalls what members tell', (rule) => {
  expect(heard(true, rule)).not.toEqual(IN_ORDER)
})

// A full run, seed "seven": a follower's clients were served by another member meanwhile, five of
// their writes came in one message, and were done twice when that came twice.
test.each([{ duplicate: 0.5 }, { reorder: 0.5 }])('%j spares what clients tell', (rule) => {
  expect(heard(false, rule)).toEqual(IN_ORDER)
})

test('what else befalls links befalls those of clients as well', () => {
  expect(heard(false, { drop: 1 })).toEqual([])
  expect(heard(false, { cut: true })).toEqual([])
})
