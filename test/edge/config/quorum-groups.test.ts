// group.N and weight.N of a zoo.cfg (Q6, O29).
import { describe, expect, test } from 'vitest'
import { configText } from '../../../src/adapters/tcp/quorum-member.ts'
import { readZooCfg, type ZooCfg } from '../../../src/edge/config/zoo-cfg.ts'
import { memberConfigOf } from '../../../src/edge/member-settings.ts'

const SERVERS = [1, 2, 3, 4].map((sid) => `server.${sid}=h${sid}:2888:3888`)

function read(...lines: readonly string[]): ZooCfg {
  const ticks = ['dataDir=/d', 'clientPort=2181', 'initLimit=10', 'syncLimit=5']
  const text = [...ticks, ...SERVERS, 'server.5=h5:2888:3888:observer', ...lines].join('\n')
  const readText = (path: string): string | null => (path === '/d/myid' ? '2' : null)
  return readZooCfg({ path: 'zoo.cfg', text, properties: new Map(), readText })
}

describe('groups and weights', () => {
  test('reach the member, and the text that its peers are told', () => {
    const { settings, warnings } = read('group.1=1:2', 'group.2=3:4', 'weight.2=7', 'weight.4=0')
    const groups = [
      [
        { sid: 1, weight: 1 },
        { sid: 2, weight: 7 },
      ],
      [
        { sid: 3, weight: 1 },
        { sid: 4, weight: 0 },
      ],
    ]
    expect(warnings).toEqual([])
    expect(memberConfigOf(settings, 1)).toMatchObject({ voters: [1, 2, 3, 4], groups })
    const text = configText(settings.members, settings.groups)
    expect(memberConfigOf(settings, 1).configurationText).toBe(text)
    const lines = text.split('\n').slice(5)
    expect(lines).toEqual([
      ...['group.1=1:2', 'group.2=3:4'],
      ...['weight.1=1', 'weight.2=7', 'weight.3=1', 'weight.4=0', 'version=0'],
    ])
  })

  test('are not there without being asked for, and an even number is worth a word', () => {
    const { settings, warnings } = read()
    expect(memberConfigOf(settings, 1)).not.toHaveProperty('groups')
    expect(warnings).toEqual([expect.stringContaining('4 participants')])
  })

  test.each([
    [['group.1=1:2:3'], 'server 4 is in no group'],
    [['weight.1=2'], 'server 1 is in no group'],
    [['group.1=1:2', 'group.2=2:3:4'], 'server 2 is in two groups'],
    [['group.1=1:2:3:4:5'], 'server 5 is no participant'],
    [['group.1=1:2:3:4:9'], 'server 9 is no participant'],
    [['group.1=1:2:3:4', 'weight.1=-1'], 'weight.1=-1'],
    [['group.1=1:2:3:four'], 'group.1=1:2:3:four'],
    [['groups=1:2:3:4'], 'write group.N or weight.N'],
    [['group.1=1:2:3:4', ...[1, 2, 3, 4].map((n) => `weight.${n}=0`)], 'could be elected'],
  ] as const)('%j is refused', (lines, why) => {
    expect(() => read(...lines)).toThrow(why)
  })
})
