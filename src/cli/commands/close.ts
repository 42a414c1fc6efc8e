import type { Command } from '../command.ts'

export const close: Command = {
  name: 'close',
  usage: { today: '', old: '' },
  async run(context) {
    await context.client.close()
  },
}
