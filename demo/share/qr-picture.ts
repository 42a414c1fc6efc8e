/** A link as a QR code, drawn as one path: dark on light in every theme, as scanners want it. */
import { encode } from 'uqr'

const SVG = 'http://www.w3.org/2000/svg'
/** Modules of light around the code (ISO/IEC 18004). */
const QUIET_ZONE = 4

export function qrPicture(link: string): SVGSVGElement {
  const { data, size } = encode(link, { ecc: 'M', border: QUIET_ZONE })
  const rows = data.map((row, y) =>
    row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : '')).join(''),
  )
  const svg = document.createElementNS(SVG, 'svg')
  svg.setAttribute('viewBox', `0 0 ${size} ${size}`)
  svg.setAttribute('role', 'img')
  svg.setAttribute('aria-label', "QR code of the room's link")
  svg.setAttribute('shape-rendering', 'crispEdges')
  const ground = document.createElementNS(SVG, 'rect')
  ground.setAttribute('width', String(size))
  ground.setAttribute('height', String(size))
  ground.setAttribute('fill', '#ffffff')
  const dark = document.createElementNS(SVG, 'path')
  dark.setAttribute('d', rows.join(''))
  dark.setAttribute('fill', '#000000')
  svg.append(ground, dark)
  return svg
}
