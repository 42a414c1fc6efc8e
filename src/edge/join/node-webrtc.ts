/**
 * WebRTC for Node: the package node-datachannel (libdatachannel), with what simple-peer and this
 * program need of a browser's.
 *
 * An optional peer of this package, as most of its users have a browser for that; its binary comes
 * as a package of its own per platform. Beside it were tried @roamhq/wrtc (three times the size, a
 * third of the rate) and werift (pure TypeScript: slow to connect, and hangs under load).
 */
import type { IceSettings } from '../../adapters/webrtc/ice-settings.ts'
import type { WebRtc } from '../../adapters/webrtc/rtc-peer.ts'
import { messageOf } from '../../core/base/message-of.ts'
import { JoinError } from './join-error.ts'

/** In a variable: no bundler is to take a native module in. */
const POLYFILL: string = 'node-datachannel/polyfill'
const PACKAGE: string = 'node-datachannel'

/** A candidate may come before the transport is there, which it is within some ms. */
const CANDIDATE_RETRY_MS = 50
const CANDIDATE_RETRIES_MAX = 40
const NO_TRANSPORT = /without ICE transport|without remote description/i

type Polyfill = WebRtc & { readonly RTCError: unknown }

export interface NodeWebRtc extends WebRtc {
  /** Ends its threads, else they may outlive the program's work. */
  release(): void
}

/** Rejects with a JoinError that says what to install. */
export async function loadNodeWebRtc(): Promise<NodeWebRtc> {
  let polyfill: Polyfill
  let native: { cleanup(): void }
  try {
    polyfill = (await import(POLYFILL)) as Polyfill
    native = (await import(PACKAGE)) as { cleanup(): void }
  } catch (cause) {
    throw new JoinError(
      `A machine on Node reaches the tabs by WebRTC, for which it needs the package ${PACKAGE}: ` +
        `npm install ${PACKAGE}. (${messageOf(cause)})`,
      { cause },
    )
  }
  // Its data channel names this one without importing it when there is an error to tell.
  Object.assign(globalThis, { RTCError: polyfill.RTCError })
  return {
    ...polyfill,
    RTCPeerConnection: connectionClass(polyfill),
    release: () => native.cleanup(),
  }
}

/** What is wrong with servers that this WebRTC cannot use, and the settings without them. */
export function usableIce(settings: IceSettings): {
  readonly settings: IceSettings
  readonly unusable: readonly string[]
} {
  const unusable: string[] = []
  const iceServers = settings.iceServers.flatMap((server) => {
    const urls = server.urls.filter((url) => {
      const isUsable = /^(stun|turn):/i.test(url) && !/[?&]transport=tcp/i.test(url)
      if (!isUsable) unusable.push(url)
      return isUsable
    })
    return urls.length === 0 ? [] : [{ ...server, urls }]
  })
  return { settings: { ...settings, iceServers }, unusable }
}

/** Of the browsers' class, without the forms by callbacks. */
interface Connection {
  readonly connectionState: RTCPeerConnectionState
  createOffer(): Promise<RTCSessionDescriptionInit>
  createAnswer(): Promise<RTCSessionDescriptionInit>
  addIceCandidate(candidate?: RTCIceCandidateInit | RTCIceCandidate | null): Promise<void>
}

function connectionClass(polyfill: WebRtc): WebRtc['RTCPeerConnection'] {
  const Base = polyfill.RTCPeerConnection as unknown as new (
    config?: RTCConfiguration,
  ) => Connection
  class NodePeerConnection extends Base {
    constructor(config?: RTCConfiguration) {
      super(config === undefined ? undefined : withEscapedNames(config))
    }

    /** simple-peer changes the description's text, which theirs does not allow. */
    override async createOffer(): Promise<RTCSessionDescriptionInit> {
      const { type, sdp } = await super.createOffer()
      return sdp === undefined ? { type } : { type, sdp }
    }

    override async createAnswer(): Promise<RTCSessionDescriptionInit> {
      const { type, sdp } = await super.createAnswer()
      return sdp === undefined ? { type } : { type, sdp }
    }

    override async addIceCandidate(
      candidate?: RTCIceCandidateInit | RTCIceCandidate | null,
    ): Promise<void> {
      for (let tries = 0; ; tries++) {
        try {
          return await super.addIceCandidate(candidate)
        } catch (error) {
          const isEarly = NO_TRANSPORT.test(messageOf(error))
          // One of many: a pair may come about without it. Rejected it would end the connection.
          if (!isEarly || tries >= CANDIDATE_RETRIES_MAX || this.connectionState === 'closed')
            return
        }
        await new Promise((resolve) => setTimeout(resolve, CANDIDATE_RETRY_MS))
      }
    }
  }
  return NodePeerConnection as unknown as WebRtc['RTCPeerConnection']
}

/** They become a part of an address there: `user:name` of a TURN server must stay one name. */
function withEscapedNames(config: RTCConfiguration): RTCConfiguration {
  const iceServers = (config.iceServers ?? []).map(({ urls, username, credential }) => ({
    urls,
    ...(username === undefined ? {} : { username: encodeURIComponent(username) }),
    ...(typeof credential === 'string' ? { credential: encodeURIComponent(credential) } : {}),
  }))
  return { ...config, iceServers }
}
