/** Where a QR code of the link helps, and what to say where it does not. */

export interface PageAddress {
  readonly protocol: string
  readonly hostname: string
}

/** null: show the code. Otherwise one sentence on how other machines come in. */
export function whyNoQr({ protocol, hostname }: PageAddress): string | null {
  const isHttps = protocol === 'https:'
  if (isLoopbackName(hostname)) {
    return isHttps
      ? 'A link with localhost in it leads each machine to itself. For phones and other ' +
          'computers open this page at the network address that npm start -- --tls printed, and ' +
          'make the room there.'
      : 'This link works on this computer. For phones and other computers: npm start -- --tls'
  }
  if (isHttps) return null
  return 'Phones and other computers need https: npm start -- --tls serves it.'
}

/** As the browser writes it in `location.hostname`. */
export function isLoopbackName(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(hostname)
  )
}
