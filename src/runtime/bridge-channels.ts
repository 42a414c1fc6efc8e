import type { ClientChannel } from '../ports/client-channel.ts'

/** Join two client channels: what one says the other hears, and they end together. */
export function bridgeChannels(one: ClientChannel, other: ClientChannel): void {
  one.onMessage = (bytes) => other.send(bytes)
  other.onMessage = (bytes) => one.send(bytes)
  one.onClose = (reason) => other.close(reason)
  other.onClose = (reason) => one.close(reason)
}
