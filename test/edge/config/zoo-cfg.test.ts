// zoo.cfg and -D options: what they become, what is refused, and what is warned of.
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../../src/edge/config/config-error.ts'
import { memberText } from '../../../src/adapters/tcp/quorum-member.ts'
import { readZooCfg, type ZooCfg } from '../../../src/edge/config/zoo-cfg.ts'
import { DEFAULT_SETTINGS, isStandalone } from '../../../src/edge/settings.ts'

const ALONE = 'dataDir=/d\nclientPort=2181\n'
const THREE =
  'dataDir=/d\nclientPort=2181\ninitLimit=10\nsyncLimit=5\n' +
  'server.1=a:2888:3888\nserver.2=b:2888:3888\nserver.3=c:2888:3888\n'

function read(
  text: string,
  properties: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = { '/d/myid': '2\n' },
): ZooCfg {
  return readZooCfg({
    path: 'zoo.cfg',
    text,
    properties: new Map(Object.entries(properties)),
    readText: (path) => files[path] ?? null,
  })
}

function refusal(text: string, files?: Readonly<Record<string, string>>): string {
  try {
    read(text, {}, files)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return 'was not refused'
}

describe('alone', () => {
  test('the file of the seeds, with comments, and nothing to warn of', () => {
    const { settings, warnings } = read(`
      # The number of milliseconds of each tick
      tickTime=2000
      initLimit=10
      syncLimit=5
      dataDir=/var/lib/zookeeper
      dataLogDir=/var/log/zookeeper
      clientPort=2182
      maxClientCnxns=100
      autopurge.snapRetainCount=5
      autopurge.purgeInterval=1
      metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider
      metricsProvider.httpPort=7001
      metricsProvider.exportJvmInfo=false
    `)
    expect(warnings).toEqual([])
    expect(settings).toEqual({
      ...DEFAULT_SETTINGS,
      dataDirectory: '/var/lib/zookeeper',
      logDirectory: '/var/log/zookeeper',
      clientPort: 2182,
      connectionsPerAddressMax: 100,
      snapshotsRetained: 5,
      purgeIntervalMs: 3_600_000,
      metrics: { host: '0.0.0.0', port: 7001, exportsProcessInfo: false },
    })
    expect(isStandalone(settings)).toBe(true)
  })

  test('a file that names no tickTime has ZooKeeper’s of 3 s', () => {
    expect(read(ALONE).settings.tickTimeMs).toBe(3_000)
  })

  test('one server in the list is alone, at the client port of its line', () => {
    const { settings, warnings } = read('dataDir=/d\nserver.1=a:2888:3888;2191\n', {}, {})
    expect(isStandalone(settings)).toBe(true)
    expect(settings.clientPort).toBe(2191)
    expect(warnings).toEqual([expect.stringContaining('it runs alone')])
  })

  test('what is missing or impossible is said', () => {
    expect(refusal('clientPort=1')).toContain('dataDir is missing')
    expect(refusal('dataDir=/d')).toContain('clientPort is missing')
    expect(refusal('dataDir=/d\nclientPort=70000')).toContain('from 0 to 65535')
    expect(refusal(`${ALONE}tickTime=two`)).toContain('tickTime=two')
    expect(refusal(`${ALONE}clientPortAddress=`)).not.toBe('')
    expect(refusal(`${ALONE}minSessionTimeout=90000`)).toContain('must not be larger')
    expect(refusal(`${ALONE}electionAlg=1`)).toContain('only 3')
    expect(refusal(`${ALONE}standaloneEnabled=false`)).toContain('server.N')
    expect(refusal(`${ALONE}metricsProvider.className=com.x.Y`)).toContain('com.x.Y')
    expect(refusal(`${ALONE}forceSync=maybe`)).toContain('true or false')
    expect(refusal('dataDir=/d\nclientPortAddress=::1')).toContain('without clientPort')
  })
})

describe('an ensemble', () => {
  test('members, who this one is, and its limits', () => {
    const { settings, warnings } = read(`${THREE}server.4=d:2888:3888:observer\n`)
    expect(warnings).toEqual([])
    expect(isStandalone(settings)).toBe(false)
    expect(settings).toMatchObject({ sid: 2, role: 'participant', initLimitTicks: 10 })
    expect(settings.members.map(({ sid, host, role }) => [sid, host, role])).toEqual([
      [1, 'a', 'participant'],
      [2, 'b', 'participant'],
      [3, 'c', 'participant'],
      [4, 'd', 'observer'],
    ])
  })

  test('an observer, whose line counts more than peerType', () => {
    const list = `${THREE}server.4=d:2888:3888:observer\n`
    const files = { '/d/myid': '4' }
    expect(read(list, {}, files).settings.role).toBe('observer')
    expect(read(`${list}peerType=observer`, {}, files).warnings).toEqual([])
    const { settings, warnings } = read(`${list}peerType=participant`, {}, files)
    expect(settings.role).toBe('observer')
    expect(warnings).toEqual([expect.stringContaining('says observer')])
  })

  test('addresses: IPv6, client ports with and without one, all of them', () => {
    const { settings } = read(
      'dataDir=/d\ninitLimit=1\nsyncLimit=1\n' +
        'server.1=[::1]:2888:3888:participant;[fe80::1]:2181\n' +
        'server.2=b:2888:3888;2182\nserver.3=c:2888:3888;0.0.0.0:2183',
    )
    expect(settings.members).toEqual([
      expect.objectContaining({ host: '::1', clientAddress: 'fe80::1', clientPort: 2181 }),
      expect.objectContaining({ host: 'b', clientPort: 2182 }),
      expect.objectContaining({ host: 'c', clientPort: 2183 }),
    ])
    expect(settings.members[2]).not.toHaveProperty('clientAddress')
    expect(settings).toMatchObject({ clientPort: 2182, clientAddress: null })
  })

  test('a secure port in the list, which must be that of the file', () => {
    const keys = 'ssl.keyStore.location=/k.pem\n'
    const list = THREE.replace(/server\.2=.*/, 'server.2=b:2888:3888;2181;[::1]:2282')
    const { settings } = read(list + keys)
    expect(settings).toMatchObject({ secureClientPort: 2282, secureClientAddress: '::1' })
    expect(memberText(settings.members[1]!)).toBe('b:2888:3888:participant;0.0.0.0:2181;[::1]:2282')
    const only = THREE.replace(/server\.2=.*/, 'server.2=b:2888:3888;;2282')
    const alone = read(only.replace('clientPort=2181', '') + keys).settings
    expect(alone).toMatchObject({ clientPort: null, secureClientPort: 2282 })
    expect(memberText(alone.members[1]!)).toBe('b:2888:3888:participant;;0.0.0.0:2282')
    expect(refusal(`${list}${keys}secureClientPort=2283`)).toContain('by secureClientPort')
    expect(refusal(list)).toContain('ssl.keyStore.location')
  })

  test('the list may stand in the dynamic file, and then nowhere else', () => {
    const fixed = 'dataDir=/d\nclientPort=2181\ninitLimit=10\nsyncLimit=5\ndynamicConfigFile=/dyn\n'
    const files = { '/d/myid': '2', '/dyn': 'server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2' }
    expect(read(fixed, {}, files).settings.members).toHaveLength(3)
    expect(refusal(`${fixed}server.1=a:1:2`, files)).toContain('/dyn')
    expect(refusal(fixed, { '/d/myid': '2' })).toContain('no such file')
    expect(refusal(fixed, { ...files, '/dyn': 'version=1' })).toContain('stands in its name')
    expect(refusal(fixed, { ...files, '/dyn': 'tickTime=1' })).toContain('tickTime')
  })

  test('what is wrong with a list is said', () => {
    expect(refusal(THREE, {})).toContain('/d/myid is missing')
    expect(refusal(THREE, { '/d/myid': '7' })).toContain('1, 2, 3')
    expect(refusal(THREE, { '/d/myid': 'two' })).toContain("myid 'two'")
    expect(refusal(THREE.replace('initLimit=10', ''))).toContain('initLimit is missing')
    const lines: readonly (readonly [string, string])[] = [
      ['server.4=d', 'host:quorumPort:electionPort'],
      ['server.4=d:2888', 'election port is missing'],
      ['server.4=d:2888:2888', 'must differ'],
      ['server.4=d:2888:3888:king', "'king' is no role"],
      ['server.4=d:2888:99999', '99999'],
      ['server.4=d:1:2|e:1:2', 'multiAddress.enabled=true'],
      ['server.4=d:1:2;2181;2281;1', "too many ';'"],
      ['server.4=d:1:2;;a:b:1', 'no address of clients'],
      ['server.4=[::1:2888:3888', "without a matching ']'"],
      ['server.0=d:1:2', '1 to 255'],
      ['server.x=d:1:2', '1 to 255'],
      ['server.02=d:1:2', 'already'],
      ['group.1=1:2', 'server 3 is in no group'],
    ]
    for (const [line, why] of lines) expect(refusal(`${THREE}${line}\n`)).toContain(why)
    expect(refusal(`${THREE}server.2=b:2888:3888;2199\n`)).toContain('clients are served at')
    expect(refusal('dataDir=/d\nserver.1=a:1:2:observer')).toContain('observers only')
    const onlyOne = 'dataDir=/d\nclientPort=1\nserver.1=a:1:2\nserver.2=b:1:2:observer'
    expect(refusal(onlyOne)).toContain('standaloneEnabled=false')
  })

  test('even numbers are warned of', () => {
    const two = THREE.replace(/server\.3.*\n/, '')
    expect(read(two).warnings).toEqual([expect.stringContaining('none of them may fail')])
    const four = `${THREE}server.4=d:2888:3888\n`
    expect(read(four).warnings).toEqual([expect.stringContaining('as many failures')])
  })
})

describe('options of the command line', () => {
  test('by the names that ZooKeeper reads, with and without its prefix', () => {
    const { settings, warnings } = read(ALONE, {
      'zookeeper.snapCount': '10',
      'znode.container.checkIntervalMs': '7',
      'jute.maxbuffer': '4194304',
      'readonlymode.enabled': 'true',
      'zookeeper.request_throttle_max_requests': '5',
      'zookeeper.forceSync': 'no',
      'zookeeper.tickTime': '500',
    })
    expect(settings).toMatchObject({
      snapCount: 10,
      containerCheckIntervalMs: 7,
      frameBytesMax: 4_194_304,
      readOnlyModeEnabled: true,
      throttleRequestsMax: 5,
      forceSync: false,
      tickTimeMs: 500,
      wordsAllowed: ['srvr', 'isro'],
    })
    expect(warnings).toEqual([expect.stringContaining('forceSync=no')])
  })

  test('the file wins, as what ZooKeeper does with it, and says so', () => {
    const { settings, warnings } = read(`${ALONE}request_throttle_max_requests=3\nsnapCount=9`, {
      'zookeeper.requestThrottleLimit': '5',
      'zookeeper.snapCount': '9',
    })
    expect(settings).toMatchObject({ throttleRequestsMax: 3, snapCount: 9 })
    expect(warnings).toEqual([expect.stringContaining('the file says otherwise and wins')])
  })

  test('strange ones are named', () => {
    const { warnings } = read(ALONE, {
      'java.net.preferIPv4Stack': 'true',
      'zookeeper.nonsense': '1',
      clientport: '1',
    })
    expect(warnings).toHaveLength(3)
    expect(warnings.join('\n')).toContain('no JVM')
    expect(warnings.join('\n')).toContain('zookeeper.nonsense')
    expect(warnings.join('\n')).toContain('(clientPort is)')
  })
})

describe('what has no effect', () => {
  test('is named with the reason, unless it asks for what is done anyway', () => {
    const { warnings } = read(
      `${ALONE}serverCnxnFactory=x\ndigest.enabled=true\nfips-mode=false\nfsyncc=1\n` +
        'zookeeper.snapCount=7\nclientPort=2181\nauthProvider.1=a.B\nflushDelay=0\n',
    )
    const said = warnings.join('\n')
    for (const part of [
      'serverCnxnFactory=x: there is no Netty here',
      'fips-mode=false: OpenSSL is told by its own configuration',
      'fsyncc is no key of ZooKeeper’s: it is ignored',
      'zookeeper.snapCount is no key of ZooKeeper’s (snapCount is): it is ignored',
      'zoo.cfg:8: clientPort is given again',
      'authProvider.1=a.B: Java classes',
    ]) {
      expect(said).toContain(part)
    }
    expect(said).not.toContain('digest.enabled')
  })

  test('two keys that go together', () => {
    const both = `${ALONE}enforce.auth.enabled=true\nenforce.auth.schemes=digest, ip`
    expect(read(both).settings.enforcedAuthSchemes).toEqual(['digest', 'ip'])
    expect(read(both.replace('true', 'false')).settings.enforcedAuthSchemes).toEqual([])
    expect(refusal(`${ALONE}enforce.auth.enabled=true`)).toContain('enforce.auth.schemes')
    expect(refusal(both.replace('ip', 'sasl'))).toContain("no scheme 'sasl'")
  })

  test('the super user is given by a digest, never by a password', () => {
    const key = 'DigestAuthenticationProvider.superDigest'
    const digest = 'super:xQJmxLMiHGwaqBvst5y6rkB6HQs='
    expect(read(`${ALONE}${key}=${digest}`).settings.superDigest).toBe(digest)
    expect(refusal(`${ALONE}${key}=super:secret`)).toContain('SHA-1')
  })

  test('what would have protected something stops the start', () => {
    expect(refusal(`${ALONE}admin.forceHttps=true`)).toContain('ssl.quorum.keyStore.location')
    expect(refusal(`${ALONE}admin.portUnification=true`)).toContain('https for administration')
    expect(refusal(`${ALONE}sslQuorum=true`)).toContain('ssl.quorum.keyStore.location')
    expect(refusal(`${ALONE}quorum.auth.enableSasl=true`)).toContain('SASL')
    expect(refusal(`${ALONE}oraclePath=/o`)).toContain('oracle')
    expect(read(`${ALONE}sslQuorum=false`).warnings).toEqual([])
  })
})
