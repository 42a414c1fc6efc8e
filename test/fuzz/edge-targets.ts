/** What a server on Node reads beside its protocols: its configuration, and administrators. */
import type { Prng } from '../../src/core/base/prng.ts'
import { AdminServer, COMMANDS } from '../../src/edge/admin/admin-server.ts'
import { ALL_WORDS } from '../../src/edge/admin/words.ts'
import { ConfigError } from '../../src/edge/config/config-error.ts'
import { SETTING_ROWS } from '../../src/edge/config/setting-table.ts'
import { readZooCfg } from '../../src/edge/config/zoo-cfg.ts'
import {
  ASKER,
  administeredMember,
  type AdministeredMember,
} from '../edge/admin/administered-member.ts'
import { decoder, textReader } from './byte-targets.ts'
import { requestsOfClients } from './corpus.ts'
import { hostile, noise } from './mutate.ts'
import type { Target } from './target.ts'

export function edgeTargets(): Target[] {
  return [
    textReader('zoo.cfg', 4, CONFIGS, (text) => readConfig(text), [ConfigError]),
    textReader('myid and the list of servers', 2, LISTS, readLists, [ConfigError]),
    figuresTarget(),
    wordsTarget(),
    adminTarget(),
  ]
}

const MEMBERS = [
  'server.1=a:2888:3888;2181',
  'server.2=[::1]:2888:3888:observer;[::]:2181',
  'server.3=a:1:2|b:3:4:participant;0.0.0.0:5',
  'group.1=1:3\nweight.1=2\nweight.3=0',
]
const FIRST = 'dataDir=/d\ntickTime=2000\nclientPort=2181\n'
const CONFIGS = [
  `${FIRST}initLimit=5\nsyncLimit=2\n# a comment\n! one more\n${MEMBERS.join('\n')}\n`,
  `${FIRST}${SETTING_ROWS.map(({ key, byDefault }) => `${key}=${byDefault}`).join('\n')}`,
  'dataDir : C\\\\data\\u00e9 \\\n  more\nautopurge.snapRetainCount=3\nquorumListenOnAllIPs=true',
  `${FIRST}dynamicConfigFile=/d/dynamic\nmetricsProvider.httpPort=7000\nstandaloneEnabled=false`,
]
const LISTS = [...MEMBERS, MEMBERS.join('\n'), '1', ' 3 \n']

function readConfig(text: string, lists = '1'): void {
  const properties = new Map([['zookeeper.globalOutstandingLimit', '7']])
  readZooCfg({ path: 'zoo.cfg', text, properties, readText: () => lists })
}

function readLists(text: string): void {
  readConfig(`${FIRST}dynamicConfigFile=x\n`, text)
  readConfig(FIRST + text, text)
}

/** Those who count look at frames before anybody has judged them. */
function figuresTarget(): Target {
  let server: AdministeredMember | null = null
  return decoder('figures of a connection', 2, requestsOfClients(), (bytes) => {
    server ??= administeredMember()
    const { traffic } = server.administration.view.figures
    const inner = {
      send: () => undefined,
      close: () => undefined,
      onMessage: (_bytes: Uint8Array): void => undefined,
      onClose: () => undefined,
    }
    const facts = { address: '127.0.0.1', port: 1, establishedMs: 0, isSecure: false }
    const tap = traffic.tap(inner, facts)
    tap.onMessage = () => undefined
    inner.onMessage(bytes)
    tap.send(bytes)
    inner.onMessage(bytes.subarray(1))
    tap.send(bytes.subarray(1))
    tap.close('client_closed_session')
  })
}

/** One server for all of them: whoever asks must change nothing that matters. */
function wordsTarget(): Target {
  let server: AdministeredMember | null = null
  const run = (prng: Prng): void => {
    server ??= administeredMember()
    const rest = noise(prng, 20)
    const word = prng.bool(0.8) ? prng.pick(ALL_WORDS) : letters(prng)
    const answer = server.administration.answerWord(word, ASKER, rest)
    const isKnown = ALL_WORDS.includes(word)
    if (isKnown !== (answer !== null)) throw new Error(`${word} is answered ${String(answer)}`)
    if (server.word('ruok') !== 'imok') throw new Error(`not well after ${word}`)
  }
  return { name: 'four-letter words', weight: 1, run }
}

function letters(prng: Prng): string {
  return String.fromCharCode(...Array.from({ length: 4 }, () => 0x61 + prng.int(26)))
}

const ENCODER = new TextEncoder()
const PATHS = COMMANDS.flatMap(({ names }) => names.map((name) => `/commands/${name}`))
const QUERIES = ['', 'traceMask=7', 'streaming=true', 'pretty', 'x=%00&x=%ff'].map((text) =>
  ENCODER.encode(text),
)
const KEYS = ['digest super:secret', 'Basic !!', 'x509 a', 'ip 127.0.0.1/8'].map((text) =>
  ENCODER.encode(text),
)

function adminTarget(): Target {
  let admin: AdminServer | null = null
  const run = async (prng: Prng): Promise<void> => {
    admin ??= newAdmin()
    const said = (good: readonly Uint8Array[]): string =>
      new TextDecoder().decode(prng.bool(0.5) ? prng.pick(good) : hostile(prng, good))
    const path = prng.bool(0.7) ? prng.pick(PATHS) : said(PATHS.map((one) => ENCODER.encode(one)))
    const body = noise(prng, 200)
    const { status } = await admin.answer({
      method: prng.pick(['GET', 'POST', 'HEAD', 'PUT']),
      path,
      query: new URLSearchParams(said(QUERIES)),
      authorization: prng.bool(0.5) ? null : said(KEYS),
      address: '127.0.0.1',
      body: (bytesMax) => Promise.resolve(body.length > bytesMax ? null : body),
    })
    if (!(status >= 200 && status < 600)) throw new Error(`${path} answers ${status}`)
  }
  return { name: 'admin commands', weight: 1, run }
}

function newAdmin(): AdminServer {
  const { administration } = administeredMember()
  const { view, metrics, traceMask, counts } = administration
  const refresh = (): void => administration.refresh()
  return new AdminServer({ view, metrics, traceMask, counts, refresh })
}
