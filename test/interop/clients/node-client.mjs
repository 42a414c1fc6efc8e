// node-zookeeper-client, from npm, against whatever server is at argv[2]. Says `ok NAME` for each
// thing that works, and `RESTART` when the server is to go away and come back.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import process from 'node:process'
import { promisify } from 'node:util'
import zookeeper from 'node-zookeeper-client'

const { ACL, CreateMode, Event, Exception, Id, Permission, State } = zookeeper
const HOSTS = process.argv[2] ?? ''
const TOP = '/node'
const OPTIONS = { sessionTimeout: 10_000, spinDelay: 100, retries: 100 }
const LIMIT_MS = 30_000

const connect = async () => {
  const client = zookeeper.createClient(HOSTS, OPTIONS)
  const connected = once(client, 'connected', { signal: AbortSignal.timeout(LIMIT_MS) })
  client.connect()
  await connected
  return client
}

/** The client's calls as promises; a watcher, where there is one, comes before the callback. */
const call = (client, name, ...args) => promisify(client[name].bind(client))(...args)

const refused = (code, promise) => assert.rejects(promise, { name: code })

/** [watcher, promise of what it is told]. */
const watch = () => {
  let told
  const event = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no event came')), LIMIT_MS)
    told = (value) => {
      clearTimeout(timer)
      resolve({ type: value.getType(), path: value.getPath() })
    }
  })
  return [told, event]
}

/**
 * What one handle was told may be news to the server of another. This client has no sync; but what
 * it wrote itself it sees, and all before.
 */
const catchUp = (client) => call(client, 'create', `${TOP}/news-`, CreateMode.EPHEMERAL_SEQUENTIAL)

async function data(client) {
  const path = `${TOP}/data`
  assert.equal(await call(client, 'create', path, Buffer.from('one')), path)
  const stat = await call(client, 'setData', path, Buffer.from('two'), 0)
  assert.equal(stat.version, 1)
  assert.equal(String(await call(client, 'getData', path)), 'two')
  await refused('BAD_VERSION', call(client, 'setData', path, Buffer.from(''), 0))
  await refused('NODE_EXISTS', call(client, 'create', path))
  await refused('NO_NODE', call(client, 'getData', `${TOP}/none`))
  await call(client, 'mkdirp', `${path}/b-斑`)
  await refused('NOT_EMPTY', call(client, 'remove', path, -1))
  assert.deepEqual(await call(client, 'getChildren', path), ['b-斑'])
  await call(client, 'removeRecursive', path, -1)
  assert.equal(await call(client, 'exists', path), null)
}

async function modes(client, other) {
  const path = await call(client, 'create', `${TOP}/modes`)
  const made = []
  for (const mode of ['PERSISTENT_SEQUENTIAL', 'EPHEMERAL', 'EPHEMERAL_SEQUENTIAL']) {
    made.push(await call(client, 'create', `${path}/n-`, CreateMode[mode]))
  }
  assert.deepEqual(made, [`${path}/n-0000000000`, `${path}/n-`, `${path}/n-0000000002`])
  await catchUp(other)
  const stat = await call(other, 'exists', `${path}/n-`)
  assert.deepEqual(stat.ephemeralOwner, client.getSessionId())
}

async function watches(client, other) {
  const path = `${TOP}/watched`
  const [onCreated, created] = watch()
  assert.equal(await call(client, 'exists', path, onCreated), null)
  await call(other, 'create', path)
  assert.deepEqual(await created, { type: Event.NODE_CREATED, path })
  const [onData, changed] = watch()
  await call(client, 'getData', path, onData)
  await call(other, 'setData', path, Buffer.from('x'), -1)
  assert.deepEqual(await changed, { type: Event.NODE_DATA_CHANGED, path })
  const [onChildren, children] = watch()
  await call(client, 'getChildren', path, onChildren)
  await call(other, 'create', `${path}/a`)
  assert.deepEqual(await children, { type: Event.NODE_CHILDREN_CHANGED, path })
  const [onGone, gone] = watch()
  await call(client, 'exists', `${path}/a`, onGone)
  await call(other, 'remove', `${path}/a`, -1)
  assert.deepEqual(await gone, { type: Event.NODE_DELETED, path: `${path}/a` })
}

async function transactions(client) {
  const path = `${TOP}/transaction`
  const results = await new Promise((resolve, reject) =>
    client
      .transaction()
      .create(path, Buffer.from('one'))
      .create(`${path}/a`)
      .setData(path, Buffer.from('two'), 0)
      .check(path, 1)
      .remove(`${path}/a`, -1)
      .commit((error, all) => (error ? reject(error) : resolve(all))),
  )
  assert.equal(results.length, 5)
  const failed = new Promise((resolve) =>
    client
      .transaction()
      .create(`${path}/never`)
      .check(path, 7)
      .commit((error) => resolve(error)),
  )
  assert.equal((await failed).getCode(), Exception.BAD_VERSION)
  assert.equal(await call(client, 'exists', `${path}/never`), null)
}

async function acls(client, other) {
  const path = `${TOP}/acl`
  client.addAuthInfo('digest', Buffer.from('ann:secret'))
  const ann = new Id('digest', 'ann:7RJfAeIvrl4zdj6sS2fXrQHDvHM=')
  const acl = [new ACL(Permission.ALL, ann)]
  await call(client, 'create', path, Buffer.from('hidden'), acl)
  await catchUp(other)
  await refused('NO_AUTH', call(other, 'getData', path))
  assert.equal((await call(client, 'getACL', path))[0].id.id, ann.id)
  other.addAuthInfo('digest', Buffer.from('ann:secret'))
  assert.equal(String(await call(other, 'getData', path)), 'hidden')
  await call(other, 'setACL', path, ACL.READ_ACL_UNSAFE, -1)
  await refused('NO_AUTH', call(client, 'setData', path, Buffer.from(''), -1))
}

async function restart(client, other) {
  const path = await call(client, 'create', `${TOP}/restart`)
  await call(client, 'create', `${path}/mine`, CreateMode.EPHEMERAL)
  const session = client.getSessionId()
  const signal = AbortSignal.timeout(LIMIT_MS)
  const both = Promise.all(
    [client, other].map(async (one) => {
      await once(one, 'disconnected', { signal })
      await once(one, 'connected', { signal })
    }),
  )
  console.log('RESTART')
  await both
  assert.deepEqual(client.getSessionId(), session)
  await catchUp(other)
  assert.deepEqual((await call(other, 'exists', `${path}/mine`)).ephemeralOwner, session)
  // This client does not set its watches again.
  const [onData, changed] = watch()
  await call(client, 'getData', path, onData)
  await call(other, 'setData', path, Buffer.from('after'), -1)
  assert.deepEqual(await changed, { type: Event.NODE_DATA_CHANGED, path })
  const [onGone, gone] = watch()
  await call(other, 'exists', `${path}/mine`, onGone)
  client.close()
  assert.deepEqual(await gone, { type: Event.NODE_DELETED, path: `${path}/mine` })
}

const [client, other] = [await connect(), await connect()]
assert.equal(client.getState(), State.SYNC_CONNECTED)
await call(client, 'create', TOP)
for (const scenario of [data, modes, watches, transactions, acls, restart]) {
  await scenario(client, other)
  console.log(`ok ${scenario.name}`)
}
other.close()
await once(other, 'disconnected')
process.exit(0)
