/**
 * The STUN and TURN servers that `npm start -- --ice` was given, as a small file beside the pages.
 * Whoever may open the pages can read it, credentials included: browsers need them.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { ICE_FILE, NO_ICE_SETTINGS, type IceSettings } from '../adapters/webrtc/ice-settings.ts'

/** false: the request is for something else. */
export function serveIceFile(
  request: IncomingMessage,
  response: ServerResponse,
  settings: IceSettings = NO_ICE_SETTINGS,
): boolean {
  const path = (request.url ?? '/').split(/[?#]/, 1)[0]
  if (path !== `/${ICE_FILE}` || (request.method !== 'GET' && request.method !== 'HEAD')) {
    return false
  }
  response.setHeader('Content-Type', 'application/json; charset=utf-8')
  response.setHeader('Cache-Control', 'no-store')
  response.setHeader('X-Content-Type-Options', 'nosniff')
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin')
  response.writeHead(200).end(`${JSON.stringify(settings)}\n`)
  return true
}
