/** A prefix that exists only in the client: put before every path, taken off every answer (W61). */

import { znodePathProblem } from '../core/base/znode-path.ts'
import { InvalidPathError } from './errors.ts'

export class Chroot {
  /** '' for none; never ends in '/'. */
  readonly #prefix: string

  constructor(path = '/') {
    const problem = znodePathProblem(path)
    if (problem !== null) throw new InvalidPathError(path, problem)
    this.#prefix = path === '/' ? '' : path
  }

  toServer(path: string): string {
    if (this.#prefix === '') return path
    return path === '/' ? this.#prefix : this.#prefix + path
  }

  /** A path outside of the chroot stays as it is. */
  toClient(path: string): string {
    if (this.#prefix === '' || !this.contains(path)) return path
    return path.length === this.#prefix.length ? '/' : path.slice(this.#prefix.length)
  }

  contains(serverPath: string): boolean {
    return (
      this.#prefix === '' ||
      serverPath === this.#prefix ||
      serverPath.startsWith(`${this.#prefix}/`)
    )
  }
}
