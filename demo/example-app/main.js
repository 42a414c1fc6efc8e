import { CreateMode, createRoom, ErrorCode, isZooKeeperError, joinRoom } from 'zabra'
import { retry } from 'zabra/client'

const text = new TextDecoder()
const element = (id) => document.getElementById(id)

// The first page makes the room; what it shows then is the link for the others.
if (!location.hash) history.replaceState(null, '', await createRoom())

const room = await joinRoom({
  // With &role=client in its address a page uses the servers of the others.
  role: new URLSearchParams(location.search).get('role') === 'client' ? 'client' : 'member',
  onStatus: (status) => (element('status').textContent = status.text),
})
const showLink = () => Object.assign(element('link'), { href: room.link, textContent: room.link })
showLink()
room.onStatus(showLink)
room.ended.addEventListener('abort', () => {
  element('status').textContent = room.ended.reason.message
})

// For the console, and for those who break things on purpose.
let client
globalThis.example = { room, wish }
element('wish').onclick = wish

// What ended badly, a session that expired in a long sleep too, is begun again with a new session.
while (!room.ended.aborted) {
  try {
    client = await room.openClient()
    await takePart()
  } catch (error) {
    if (!isZooKeeperError(error) && !room.ended.aborted) throw error
  }
  await client?.close()
}

async function takePart() {
  await ensure('/pages')
  await ensure('/wishes')
  await ensure('/counter', '0')
  const mode = CreateMode.EPHEMERAL_SEQUENTIAL
  const me = nameOf(await client.create('/pages/page-', null, { mode }))
  element('wish').disabled = false

  let isHost = false
  await Promise.all([
    eachTime('/pages', 'children', async () => {
      const pages = (await client.getChildren('/pages')).toSorted()
      isHost = pages[0] === me
      showPages(pages, me)
      if (isHost) await grantWishes()
    }),
    eachTime('/wishes', 'children', async () => {
      if (isHost) await grantWishes()
    }),
    eachTime('/counter', 'data', async () => {
      element('counter').value = text.decode((await client.getData('/counter')).data)
    }),
  ])
}

/** As soon as the promise is kept, the wish is in the logs of a majority: it will be counted. */
async function wish() {
  await client.create('/wishes/wish-', null, { mode: CreateMode.PERSISTENT_SEQUENTIAL })
}

/** Both or neither: counted, and no wish any more. Who is no host any more just comes too late. */
async function grantWishes() {
  for (const name of (await client.getChildren('/wishes')).toSorted()) {
    const { data, stat } = await client.getData('/counter')
    await client
      .transaction()
      .setData('/counter', String(Number(text.decode(data)) + 1), stat.version)
      .delete(`/wishes/${name}`)
      .commit()
      .catch(unless(ErrorCode.NONODE, ErrorCode.BADVERSION))
  }
}

/** At once and after each change. All that is done can be done twice, so it is tried again. */
async function eachTime(path, kind, work) {
  const changes = client.watch(path, { kind })
  do await retry(work, { attemptsMax: 20, isIdempotent: true })
  while (!(await changes.next()).done)
}

async function ensure(path, data = null) {
  await retry(() => client.create(path, data), { isIdempotent: true }).catch(
    unless(ErrorCode.NODEEXISTS),
  )
}

function unless(...codes) {
  return (error) => {
    if (!isZooKeeperError(error) || !codes.includes(error.code)) throw error
  }
}

function showPages(pages, me) {
  const items = pages.map((page, index) => {
    const notes = [...(index === 0 ? ['host'] : []), ...(page === me ? ['this page'] : [])]
    const item = document.createElement('li')
    item.textContent = [page, ...notes].join(', ')
    return item
  })
  element('pages').replaceChildren(...items)
}

function nameOf(path) {
  return path.slice(path.lastIndexOf('/') + 1)
}
