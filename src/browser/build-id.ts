/**
 * Which build this is, for people: peers of another one say so. What can work together is decided
 * by the protocol versions (adapters/webrtc/hello.ts), never by this. As in package.json.
 */
export const BUILD: string = '0.1.0'
