/** What the doctor can find: stable codes, each with a sentence and what would help. */

export const FINDING_CODES = [
  'all-connected',
  'alone',
  'not-needed',
  'broker-away',
  'webrtc-missing',
  'no-candidates',
  'stun-silent',
  'turn-refused',
  'turn-unreachable',
  'mdns-unresolved',
  'local-only',
  'needs-turn',
  'relay-failed',
  'blocked',
  'no-answer',
  'handshake-failed',
  'handshake-silent',
  'builds-differ',
  'same-identity',
  'not-admitted',
  'no-place',
  'page-silent',
  'link-silent',
  'still-trying',
  'pair-unknown',
] as const
export type FindingCode = (typeof FINDING_CODES)[number]

/** `ok`: as it should be. `note`: nothing is broken by it. `problem`: a pair or page suffers. */
export type Severity = 'ok' | 'note' | 'problem'

export interface Finding {
  readonly code: FindingCode
  readonly severity: Severity
  /** The pages it is about, by name; two for a pair. */
  readonly pages: readonly string[]
  /** What is the matter, in one sentence. */
  readonly text: string
  /** What would help; null when nothing has to be done. */
  readonly help: string | null
}

interface Words {
  readonly severity: Severity
  readonly text: string
  readonly help: string | null
}

const TURN_HELP =
  'Name a TURN server in the settings of each page (or for all with npm start -- --ice FILE): it ' +
  'passes on what cannot go directly, and cannot read it.'
const FROZEN_HELP =
  'Its tab may be frozen, asleep or busy: bring it to the front, or reload it. Browsers freeze ' +
  'tabs in the background to save power.'

/** `{who}`: the page, or both pages of a pair. `{detail}`: what the browser or the peer said. */
export const WORDS: Readonly<Record<FindingCode, Words>> = {
  'all-connected': {
    severity: 'ok',
    text: 'Every pair of pages that needs a connection has one.',
    help: null,
  },
  alone: {
    severity: 'note',
    text: 'No other page of this room is known here.',
    help: 'Open the room by its link in another tab or on another device.',
  },
  'not-needed': {
    severity: 'ok',
    text: '{who} are not connected and need not be: observers and clients link to voters only.',
    help: null,
  },
  'broker-away': {
    severity: 'problem',
    text: 'The signaling server cannot be reached: links go on, new ones cannot be made.',
    help: 'Start it again, or check the network between this page and its server.',
  },
  'webrtc-missing': {
    severity: 'problem',
    text: 'The browser of {who} gives no WebRTC connection.',
    help: 'An extension, a policy or a hardened browser took WebRTC away: allow it for this page.',
  },
  'no-candidates': {
    severity: 'problem',
    text: 'The browser of {who} offers no address at all to connect to.',
    help:
      'WebRTC is blocked by an extension, a policy or a VPN, or no network is there: allow it ' +
      'for this page, or try another network.',
  },
  'stun-silent': {
    severity: 'note',
    text: 'The STUN server of {who} does not answer.',
    help: 'Check its address and whether UDP to it is let through.',
  },
  'turn-refused': {
    severity: 'problem',
    text: 'The TURN server of {who} refuses: {detail}.',
    help: 'Check the username and the credential; credentials with a time limit may have run out.',
  },
  'turn-unreachable': {
    severity: 'problem',
    text: 'The TURN server of {who} does not answer.',
    help:
      'Check its address and port, and whether it runs. Where UDP is blocked, add ' +
      '?transport=tcp or a turns: address.',
  },
  'mdns-unresolved': {
    severity: 'problem',
    text: '{who} know each other only by hidden local names, which do not resolve between them.',
    help:
      'They are in different networks, or their network drops multicast (mDNS): name a STUN ' +
      'server, and for strict networks a TURN server.',
  },
  'local-only': {
    severity: 'problem',
    text: '{who} tried only their local addresses, and those do not reach each other.',
    help:
      'In different networks a STUN server helps, behind strict firewalls a TURN server; in one ' +
      'network a firewall or "client isolation" stands between them.',
  },
  'needs-turn': {
    severity: 'problem',
    text: '{who} know their public addresses and still cannot reach each other directly.',
    help: TURN_HELP,
  },
  'relay-failed': {
    severity: 'problem',
    text: '{who} have a TURN server, and yet nothing comes through it.',
    help: 'The TURN server may not reach the other side: check its relay address and port range.',
  },
  blocked: {
    severity: 'problem',
    text: '{who} cannot connect: what is said of {detail} stands in the way.',
    help: null,
  },
  'no-answer': {
    severity: 'problem',
    text: '{who}: an offer was made, and no answer came by the signaling server.',
    help: FROZEN_HELP,
  },
  'handshake-failed': {
    severity: 'problem',
    text: '{who} connect, but the handshake fails: {detail}.',
    help:
      'One of them is not who it says it is, or something stands between them. Reload both from ' +
      'the same link.',
  },
  'handshake-silent': {
    severity: 'problem',
    text: '{who} connect, but the handshake does not come to an end.',
    help: FROZEN_HELP,
  },
  'builds-differ': {
    severity: 'problem',
    text: '{who} run versions that do not understand each other: {detail}.',
    help: 'Reload the older page.',
  },
  'same-identity': {
    severity: 'problem',
    text: '{who} have one and the same identity.',
    help: 'A profile was copied. Close one of them and clear its stored data.',
  },
  'not-admitted': {
    severity: 'problem',
    text: '{who}: one does not let the other in: {detail}.',
    help: null,
  },
  'no-place': {
    severity: 'note',
    text: '{who}: {detail}.',
    help: 'Close pages that are not needed.',
  },
  'page-silent': {
    severity: 'problem',
    text: '{who} did not answer the doctor.',
    help: FROZEN_HELP,
  },
  'link-silent': {
    severity: 'problem',
    text: '{who} are connected, and nothing has come for {detail}.',
    help: FROZEN_HELP,
  },
  'still-trying': {
    severity: 'note',
    text: '{who} are still connecting.',
    help: 'Ask again in some seconds.',
  },
  'pair-unknown': {
    severity: 'note',
    text: 'Neither of {who} told of their connection.',
    help: null,
  },
}

export function finding(code: FindingCode, pages: readonly string[], detail = ''): Finding {
  const { severity, text, help } = WORDS[code]
  const who = pages.join(' and ')
  const said = text.replace('{who}', who).replace('{detail}', detail.replace(/\.$/, ''))
  return { code, severity, pages, text: said.charAt(0).toUpperCase() + said.slice(1), help }
}
