/** A WebSocket as the signaling client wants it: the browser's, or one that looks like it. */

import type { OpenSocket } from '../../ports/signaling.ts'

/** In Node pass `(url) => new WebSocket(url)` of the `ws` package. */
export function socketOpener(create: (url: string) => WebSocket): OpenSocket {
  return (url, events) => {
    const socket = create(url)
    let done = false
    socket.addEventListener('open', () => {
      if (!done) events.onOpen()
    })
    socket.addEventListener('message', (event: MessageEvent<unknown>) => {
      if (!done) events.onData(event.data)
    })
    // An error says nothing that a page may know, and a close always follows it.
    socket.addEventListener('error', () => {})
    socket.addEventListener('close', (event) => {
      if (done) return
      done = true
      events.onClose(event.code)
    })
    return {
      send(text: string): void {
        if (socket.readyState === socket.OPEN) socket.send(text)
      },
      close(code?: number, reason?: string): void {
        done = true
        socket.close(code, reason)
      },
      get bufferedBytes(): number {
        return socket.bufferedAmount
      },
    }
  }
}

export const openBrowserSocket: OpenSocket = socketOpener((url) => new WebSocket(url))

/** The broker on the server that served this page, at `path`. */
export function signalUrlOfPage(page: string | URL, path: string): string {
  const url = new URL(path, page)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  url.search = ''
  url.hash = ''
  return url.href
}
