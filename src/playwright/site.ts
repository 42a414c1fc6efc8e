/** The kit's own server: signaling, and pages of a folder on the same port. */
import { type RunningServer, startServer } from '../edge/serve.ts'
import { SIGNAL_PATH } from '../signaling/protocol.ts'
import { EMPTY_APP_FOLDER, EMPTY_APP_PAGE } from './kit-files.ts'

export class Site {
  #folder: string
  readonly #page: string
  #server: RunningServer | null = null
  #port = 0

  /** Default: a page that joins the room of its address and does nothing else. */
  constructor(folder: string = EMPTY_APP_FOLDER, page: string = EMPTY_APP_PAGE) {
    this.#folder = folder
    this.#page = page
  }

  get url(): string {
    return `http://localhost:${this.#port}`
  }

  get signaling(): string {
    return `ws://localhost:${this.#port}${SIGNAL_PATH}`
  }

  /** Also again, after `stop`, where it was; `folder`: with the pages of another build. */
  async start(folder: string = this.#folder): Promise<void> {
    this.#folder = folder
    this.#server = await startServer({ port: this.#port, staticDir: folder })
    this.#port = this.#server.port
  }

  async stop(): Promise<void> {
    await this.#server?.close()
    this.#server = null
  }

  /** A link as a person types it, of a room that nobody else has. */
  room(query = '', page: string = this.#page): string {
    const name = `room${Math.random().toString(36).slice(2, 10)}`
    return `${this.url}/${page}?room=${name}${query}#a-secret-that-nobody-guesses`
  }
}
