import { describe, expect, it } from 'vitest'
import { toServerId, type ServerId } from '../../../src/core/base/zxid.ts'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import { ALL_WORDS } from '../../../src/edge/admin/words.ts'
import { administeredMember } from './administered-member.ts'

const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests\n'

describe('the whitelist (O14)', () => {
  it('has srvr alone by default, and says so of the others', () => {
    using server = administeredMember({ wordsAllowed: ['srvr'] })
    expect(server.word('srvr')).toContain('Mode: standalone\n')
    for (const word of ALL_WORDS.filter((other) => other !== 'srvr')) {
      expect(server.word(word)).toBe(
        `${word} is not executed because it is not in the whitelist.\n`,
      )
    }
  })

  it('knows ZooKeeper’s words and no others', () => {
    using server = administeredMember()
    expect([...ALL_WORDS].sort().join(' ')).toBe(
      'conf cons crst dirs dump envi gtmk hash isro mntr ruok srst srvr stat stmk wchc wchp wchs',
    )
    expect(server.word('none')).toBeNull()
    expect(server.word('toString')).toBeNull()
  })

  it('lets read-only clients ask isro', () => {
    using server = administeredMember({ wordsAllowed: [], readOnlyModeEnabled: true })
    expect(server.word('isro')).toBe('rw')
    expect(server.word('ruok')).toContain('whitelist')
  })
})

describe('a server that serves nobody (O13)', () => {
  it('says so, but for the words about the process', () => {
    using server = administeredMember()
    server.administration.administer(null)
    expect(server.word('ruok')).toBe('imok')
    expect(server.word('isro')).toBe('null')
    expect(server.word('gtmk')).toBe('306')
    expect(server.word('envi')).toMatch(/^Environment:\nzookeeper\.version=3\.9/)
    const others = ALL_WORDS.filter((word) => !/ruok|isro|gtmk|stmk|envi/.test(word))
    for (const word of others) expect(server.word(word)).toBe(NOT_SERVING)
  })
})

describe('words about clients', () => {
  it('srvr counts what passed and how long it took (O2)', () => {
    using server = administeredMember()
    const client = server.client().connect()
    client.create('/a')
    client.getData('/a')
    const text = server.word('srvr')
    expect(text).toMatch(
      new RegExp(
        '^Zookeeper version: 3\\.9\\.\\d+-zabra-\\S+, built on [-\\d]+ [:\\d]+ UTC\\n' +
          'Latency min/avg/max: 0/0\\.0/0\\nReceived: 4\\nSent: 3\\nConnections: 2\\n' +
          'Outstanding: 0\\nZxid: 0x[0-9a-f]+\\nMode: standalone\\nNode count: \\d+\\n$',
      ),
    )
  })

  it('stat and cons list them, cons with what they did last (O3, O5)', () => {
    using server = administeredMember()
    const client = server.client(40_001).connect({ timeOut: 8_000 })
    client.create('/a')
    client.getData('/nothing')
    const brief = ' /127.0.0.1:55555[0](queued=0,recved=1,sent=0)\n'
    expect(server.word('stat')).toContain(
      `Clients:\n${brief} /127.0.0.1:40001[1](queued=0,recved=3,sent=3)\n\nLatency min`,
    )
    const zxid = server.member.status().zxid
    expect(server.word('cons')).toBe(
      `${brief} /127.0.0.1:40001[1](queued=0,recved=3,sent=3,` +
        `sid=0x${client.session.toString(16)},lop=GETD,est=${server.member.at.wallMs},` +
        `to=8000,lcxid=0x2,lzxid=${zxid},` +
        `lresp=${server.member.at.elapsedMs},llat=0,minlat=0,avglat=0,maxlat=0)\n\n`,
    )
  })

  it('a connection without a session has no session fields', () => {
    using server = administeredMember()
    server.client(40_002)
    expect(server.word('cons')).toContain(' /127.0.0.1:40002[1](queued=0,recved=0,sent=0)\n')
  })

  it('crst and srst begin anew (O6)', () => {
    using server = administeredMember()
    server.client(40_001).connect().create('/a')
    expect(server.word('crst')).toBe('Connection stats reset.\n')
    expect(server.word('cons')).toContain('40001[1](queued=0,recved=0,sent=0,')
    expect(server.word('cons')).toMatch(/lop=NA,est=\d+,to=\d+,lzxid=0xf{16},lresp=0,/)
    expect(server.word('srst')).toBe('Server stats reset.\n')
    expect(server.word('srvr')).toContain('Received: 1\nSent: 0\n')
  })

  it('a connection that is gone is not listed, and its end is counted by its reason (W63)', () => {
    using server = administeredMember()
    const { traffic } = server.administration.view.figures
    server.client(40_001).connect().close()
    const polite = server.client(40_002).connect()
    polite.send(OpCode.closeSession, null)
    server.client(40_003)
    server.member.advance(11_000)
    expect(server.word('cons')).not.toMatch(/4000[123]/)
    expect([...traffic.closeReasons]).toEqual([
      ['client_closed_connection', 1],
      ['client_closed_session', 1],
      ['sessionless_timeout', 1],
    ])
  })
})

describe('words about watches, sessions and the tree', () => {
  it('wchs, wchc and wchp show data watches (O11)', () => {
    using server = administeredMember()
    const [first, second] = [server.client().connect(), server.client().connect()]
    first.create('/a')
    first.getData('/a', true)
    second.getData('/a', true)
    second.exists('/b', true)
    const one = `0x${first.session.toString(16)}`
    const two = `0x${second.session.toString(16)}`
    expect(server.word('wchs')).toBe('2 connections watching 2 paths\nTotal watches:3\n')
    expect(server.word('wchc')).toBe(`${one}\n\t/a\n${two}\n\t/a\n\t/b\n\n`)
    expect(server.word('wchp')).toBe(`/a\n\t${one}\n\t${two}\n/b\n\t${two}\n\n`)
  })

  it('dump tells when sessions expire, what they own, and who is connected (O8)', () => {
    using server = administeredMember()
    const client = server.client(40_001).connect({ timeOut: 8_000 })
    client.create('/mine', '', 1)
    const id = `0x${client.session.toString(16)}`
    const date = /[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d [\d:]{8} \S+ \d{4}/.source
    expect(server.word('dump')).toMatch(
      new RegExp(
        `^SessionTracker dump:\\nSession Sets \\(1\\)/\\(1\\):\\n` +
          `1 expire at ${date}:\\n\\t${id}\\n` +
          `ephemeral nodes dump:\\nSessions with Ephemerals \\(1\\):\\n${id}:\\n\\t/mine\\n` +
          `Connections dump:\\nConnections Sets \\(1\\)/\\(1\\):\\n1 expire at ${date}:\\n` +
          `\\tip: /127\\.0\\.0\\.1:40001 sessionId: ${id}\\n$`,
      ),
    )
  })

  it('conf and dirs say how the server is set up (O4, O7)', () => {
    using server = administeredMember({ tickTimeMs: 1_000, connectionsPerAddressMax: 7 })
    const { dataDirectory } = server.administration.view
    expect(server.word('conf')).toBe(
      `clientPort=2181\nsecureClientPort=-1\ndataDir=${dataDirectory}\ndataDirSize=0\n` +
        `dataLogDir=${dataDirectory}\ndataLogSize=0\ntickTime=1000\nmaxClientCnxns=7\n` +
        'minSessionTimeout=2000\nmaxSessionTimeout=20000\nclientPortListenBacklog=-1\nserverId=0\n',
    )
    expect(server.word('dirs')).toBe('datadir_size: 0\nlogdir_size: 0\n')
  })

  it('hash lists the digests, stmk sets a mask that gtmk tells (O12)', () => {
    using server = administeredMember()
    const client = server.client().connect()
    for (let i = 0; i < 130; i++) client.create(`/n${i}`)
    expect(server.word('hash')).toMatch(/^([0-9a-f]+: -?\d+\n)+$/)
    expect(server.word('stmk', new Uint8Array([0, 0, 0, 0, 0, 0, 0, 54]))).toBe('54')
    expect(server.word('gtmk')).toBe('54')
    expect(server.word('stmk', new Uint8Array(3))).toBe('54')
  })
})

describe('in an ensemble', () => {
  const members = [1, 2, 3].map((sid) => ({
    sid: toServerId(sid),
    host: sid === 3 ? '::1' : `zk${sid}`,
    quorumPort: 2888,
    electionPort: 3888,
    role: sid === 3 ? ('observer' as const) : ('participant' as const),
    clientPort: 2180 + sid,
  }))

  it('a leader tells of its proposals, its learners and the members', () => {
    using server = administeredMember({ sid: toServerId(1), members })
    expect(server.word('srvr')).toMatch(
      /Mode: leader\n[^]*Proposal sizes last\/min\/max: -1\/-1\/-1\n$/,
    )
    expect(server.word('conf')).toContain(
      'serverId=1\ninitLimit=10\nsyncLimit=5\nelectionAlg=3\nelectionPort=3888\nquorumPort=2888\n' +
        'peerType=0\nmembership: \nserver.1=zk1:2888:3888:participant;0.0.0.0:2181\n' +
        'server.2=zk2:2888:3888:participant;0.0.0.0:2182\n' +
        'server.3=[::1]:2888:3888:observer;0.0.0.0:2183\nversion=0\n',
    )
    const weighs = (sid: number, weight: number): { sid: ServerId; weight: number } => ({
      sid: toServerId(sid),
      weight,
    })
    using grouped = administeredMember({
      sid: toServerId(1),
      members: members.map((member) => ({ ...member, secureClientPort: 2281 })),
      groups: [[weighs(2, 7)], [weighs(1, 1)]],
    })
    expect(grouped.word('conf')).toContain(
      'server.3=[::1]:2888:3888:observer;0.0.0.0:2183;0.0.0.0:2281\n' +
        'group.1=2\ngroup.2=1\nweight.1=1\nweight.2=7\nversion=0\n',
    )
    const rows = server.word('mntr')
    expect(rows).toContain('zk_server_state\tleader\nzk_peer_state\tleading - broadcast\n')
    for (const name of ['quorum_size', 'learners', 'synced_followers', 'leader_uptime']) {
      expect(rows).toMatch(new RegExp(`^zk_${name}\\t\\d+$`, 'm'))
    }
  })

  it('a follower knows sessions and not when they end; a read-only one says what it is', () => {
    using server = administeredMember({ sid: toServerId(1), members })
    server.client().connect()
    const { machine, at } = server.member
    const as = (said: Partial<ReturnType<typeof machine.status>>): void => {
      server.administration.administer({
        clientPort: 2181,
        status: () => ({ ...machine.status(at), ...said }),
        server: machine.server,
      })
    }
    as({ role: 'following' })
    expect(server.word('dump')).toMatch(
      /^SessionTracker dump:\nGlobal Sessions\(1\):\n0x[0-9a-f]+\t10000ms\nephemeral nodes dump:/,
    )
    expect(server.word('mntr')).not.toContain('zk_learners')
    as({ role: 'looking', serving: false, readOnly: true })
    expect(server.word('isro')).toBe('ro')
    expect(server.word('srvr')).toMatch(
      /UTC\nREAD-ONLY mode; serving only read-only clients\n[^]*Mode: read-only\n/,
    )
  })
})
