/** This machine's side of the connection doctor, which the pages of the room ask. */
import { Doctor } from '../../adapters/webrtc/doctor/doctor.ts'
import { gatherAlone } from '../../adapters/webrtc/doctor/self-check.ts'
import type { IceSettings } from '../../adapters/webrtc/ice-settings.ts'
import type { PeerMesh } from '../../adapters/webrtc/peer-mesh.ts'
import type { WebRtc } from '../../adapters/webrtc/rtc-peer.ts'
import { BUILD } from '../../browser/build-id.ts'
import type { PeerId, Signaling } from '../../ports/signaling.ts'
import type { RoomMemberStatus } from '../../runtime/room-options.ts'

export interface RoomDoctorOptions {
  readonly mesh: PeerMesh
  readonly signaling: Signaling
  readonly ice: IceSettings
  readonly webRtc: WebRtc
  readonly status: () => RoomMemberStatus
}

const NAME_LENGTH = 6

export function roomDoctor(options: RoomDoctorOptions): Doctor {
  const { mesh, signaling, ice, webRtc, status } = options
  const sidOf = (peer: PeerId): number | null => {
    const { sid, peers } = status()
    if (peer === signaling.peer) return sid
    return peers.find((one) => one.peerId === peer)?.sid ?? null
  }
  return new Doctor({
    ...{ mesh, settings: ice, build: BUILD },
    self: signaling.peer,
    listed: () => signaling.peers.map((one) => one.peer),
    isBrokerJoined: () => signaling.state.kind === 'joined',
    isHidden: () => false,
    about: (peer) => {
      const sid = sidOf(peer)
      const name = sid === null ? `page ${peer.slice(0, NAME_LENGTH)}` : `machine ${sid}`
      return { name, sid }
    },
    silentMs: (peer) => {
      const sid = sidOf(peer)
      return status().member?.peers.find((one) => one.sid === sid)?.silentMs ?? null
    },
    now: () => performance.now(),
    gather: (settings, limitMs, signal) => gatherAlone(settings, limitMs, signal, webRtc),
  })
}
