import { CreateMode } from 'zabra/client'

/** The same, and `work` gets a number that is higher for everybody who comes later. */
export async function withLock(client, work) {
  const mode = CreateMode.EPHEMERAL
  let mine = null
  while (!(mine = await client.create2('/lock', null, { mode }).catch(() => null))) {
    const changes = client.watch('/lock', { kind: 'exists' })
    if (await client.exists('/lock')) await changes.next()
    await changes.return()
  }
  await work(mine.stat.czxid)
  await client.delete('/lock')
}
