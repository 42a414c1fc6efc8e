import { CreateMode } from 'zabra/client'

/** Whoever makes the node has the lock. When its session ends, so does the node. */
export async function withLock(client, work) {
  while (!(await client.create('/lock', null, { mode: CreateMode.EPHEMERAL }).catch(() => null))) {
    const changes = client.watch('/lock', { kind: 'exists' })
    if (await client.exists('/lock')) await changes.next()
    await changes.return()
  }
  await work()
  await client.delete('/lock')
}
