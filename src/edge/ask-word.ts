/** A four-letter word and its answer, which ends with the connection. */
import { connect } from 'node:net'

export interface WordQuestion {
  readonly host: string
  readonly port: number
  readonly word: string
  readonly limitMs: number
}

/** The longest answer that is waited for, bytes. Ours: mntr has some 20 KiB, wchp may have more. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024

/** Rejects when nobody answers within the limit. */
export function askWord({ host, port, word, limitMs }: WordQuestion): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const socket = connect({ host, port }, () => socket.write(word))
    const timer = setTimeout(() => {
      socket.destroy(new Error(`${host}:${port} did not answer within ${limitMs} ms`))
    }, limitMs)
    socket.on('data', (chunk) => {
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
