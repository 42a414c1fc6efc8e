/** A four-letter word and its answer, which ends with the connection. */
import { dial, type TlsSide } from '../adapters/tcp/tls-side.ts'

export interface WordQuestion {
  readonly host: string
  readonly port: number
  readonly word: string
  readonly limitMs: number
  readonly tls: TlsSide | null
}

/** The longest answer that is waited for, bytes. Ours: mntr has some 20 KiB, wchp may have more. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024

/** Rejects when nobody answers within the limit. */
export function askWord({ host, port, word, limitMs, tls }: WordQuestion): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const { socket, readyOn } = dial(host, port, tls)
    socket.once(readyOn, () => socket.write(word))
    const timer = setTimeout(() => {
      socket.destroy(new Error(`${host}:${port} did not answer within ${limitMs} ms`))
    }, limitMs)
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > ANSWER_BYTES_MAX) socket.destroy(new Error(`the answer to ${word} has no end`))
    })
    socket.once('error', reject)
    socket.once('close', () => {
      clearTimeout(timer)
      resolve(Buffer.concat(chunks).toString())
    })
  })
}
