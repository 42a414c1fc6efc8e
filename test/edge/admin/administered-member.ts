/** Administration of a member on virtual time, without sockets or files. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Administration } from '../../../src/edge/admin/administration.ts'
import type { Log } from '../../../src/edge/admin/log.ts'
import { serverSettings, type ServerSettings } from '../../../src/edge/settings.ts'
import type { ClientChannel } from '../../../src/ports/client-channel.ts'
import type { MemberConfig } from '../../../src/core/server/member-machine.ts'
import { createSingleMember, type SingleMember } from '../../core/server/single-member.ts'
import { TestClient } from '../../core/server/test-client.ts'

export const ASKER = { address: '127.0.0.1', port: 55555 }

export interface AdministeredMember extends Disposable {
  readonly administration: Administration
  readonly member: SingleMember
  /** A client that goes through the taps. */
  client(port?: number): TestClient
  word(word: string, rest?: Uint8Array): string | null
}

export function administeredMember(
  said: Partial<ServerSettings> = {},
  config: Partial<MemberConfig> = {},
  log?: Log,
): AdministeredMember {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'zabra-admin-'))
  const settings = serverSettings({ dataDirectory, wordsAllowed: ['*'], ...said })
  const member = createSingleMember({ config })
  const administration = new Administration({
    settings,
    now: () => member.at,
    ...(log && { log }),
  })
  for (const event of member.traces) administration.onTrace(event)
  administration.administer({
    clientPort: 2181,
    status: () => member.machine.status(member.at),
    server: member.machine.server,
  })
  return {
    administration,
    member,
    client: (port = 40_000) => tappedClient(administration, member, port),
    word: (word, rest) => administration.answerWord(word, ASKER, rest),
    [Symbol.dispose]: () => rmSync(dataDirectory, { recursive: true }),
  }
}

function tappedClient(
  administration: Administration,
  member: SingleMember,
  port: number,
): TestClient {
  let client: TestClient | null = null
  const channel: ClientChannel = {
    send: (bytes) => client?.onBytes(bytes),
    close: (reason) => client?.onClosed(reason),
    onMessage: () => undefined,
    onClose: () => undefined,
  }
  const tap = administration.tapClient(channel, '127.0.0.1', port)
  const wire = member.connect({
    onBytes: (bytes) => tap.send(bytes),
    onClosed: (reason) => tap.close(reason),
  })
  tap.onMessage = (bytes) => wire.send(bytes)
  tap.onClose = () => wire.close()
  client = new TestClient(
    {
      open: () => undefined,
      data: (_id, bytes) => channel.onMessage(bytes),
      closed: () => channel.onClose('the connection was closed'),
    },
    wire.connection,
  )
  return client
}
