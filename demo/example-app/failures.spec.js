import { expect, test } from 'zabra/playwright'

test('no wish is lost when the leader is cut off', async ({ ensemble }) => {
  const room = await ensemble(3, { url: 'http://localhost:5173/' }) // your app, unchanged
  const cutOff = room.leader
  await room.isolate(cutOff)
  await cutOff.until(() => !cutOff.isLeading)
  await room.waitForLeader()
  const [one] = room.members.filter((member) => member !== cutOff)
  await one.page.getByRole('button', { name: 'One more, please' }).click()
  await room.heal()
  await expect(room).noLostWrites()
  await expect(room).linearizable()
  await expect(room).watchesInOrder()
})
