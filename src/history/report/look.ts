/** How a report looks, and how it is used. Both are ours: no text of a history gets in here. */

export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#fbfaf7, #14161a);
  --card: light-dark(#ffffff, #1c1f25);
  --ink: light-dark(#1b1d22, #e8e8e4);
  --soft: light-dark(#5b606b, #a2a7b2);
  --line: light-dark(#dcd9d0, #333843);
  --accent: light-dark(#0b5cad, #7db8ff);
  --leading: light-dark(#8a4b00, #ffc46b);
  --following: light-dark(#0b6b3a, #7fdca4);
  --looking: light-dark(#6b3fa0, #c9a8ff);
  --observing: light-dark(#155e75, #7fd4e8);
  --danger: light-dark(#a3212b, #ff9a9f);
}
* { box-sizing: border-box; }
/* Nothing that has the focus is behind the words at the bottom. */
html { scroll-padding-bottom: 8rem; -webkit-text-size-adjust: 100%; }
body { margin: 0; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; margin: 0 0 .5rem; }
h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem; }
h3 { font-size: .8rem; font-weight: 600; margin: .4rem 0 0; position: sticky; left: 0;
  width: fit-content; color: var(--soft); }
code, pre { font-family: ui-monospace, 'DejaVu Sans Mono', Menlo, monospace; font-size: .85rem; }
pre { overflow-x: auto; background: var(--card); border: 1px solid var(--line); padding: .75rem; }
.bad { color: var(--danger); font-weight: 600; }
.said { white-space: pre-wrap; }
.broken { border-left: 4px solid var(--danger); padding: .25rem .75rem; background: var(--card); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; }
button { font: inherit; min-width: 2.75rem; min-height: 2.75rem; border: 1px solid var(--line);
  border-radius: .4rem; background: var(--card); color: var(--ink); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 1px; }
.tools { display: flex; gap: .5rem; align-items: center; flex-wrap: wrap; }
.scroll { overflow-x: auto; border: 1px solid var(--line); background: var(--card);
  padding: 0 .5rem .75rem; }
.track { min-width: max(100%, 36rem); }
svg { display: block; width: 100%; overflow: hidden; }
svg.lane { border-bottom: 1px solid var(--line); }
svg.axis line { stroke: var(--soft); }
svg.axis { border-bottom: 1px solid var(--line); }
text { font: 11px system-ui, sans-serif; fill: var(--ink); pointer-events: none; }
svg.axis text { fill: var(--soft); }
.mark { stroke-width: 1; stroke: var(--ink); fill: transparent; }
.read { stroke: var(--following); fill: var(--following); fill-opacity: .35; }
.write { stroke: var(--accent); stroke-width: 2; fill: var(--accent); fill-opacity: .3; }
.refused { stroke: var(--danger); fill: var(--card); }
.unknown { stroke: var(--soft); stroke-dasharray: 3 2; fill: transparent; }
.event { stroke: var(--looking); fill: var(--looking); }
.connection { stroke: var(--soft); stroke-width: 2; stroke-dasharray: 2 2; }
.fault { stroke: var(--danger); fill: var(--danger); fill-opacity: .25; }
.leading { stroke: var(--leading); fill: var(--leading); fill-opacity: .45; }
.following { stroke: var(--following); fill: var(--following); fill-opacity: .2; }
.observing { stroke: var(--observing); fill: var(--observing); fill-opacity: .2; }
.looking { stroke: var(--looking); fill: transparent; stroke-dasharray: 4 3; }
.down { stroke: none; fill: var(--line); fill-opacity: .5; }
.violation { stroke: var(--danger); stroke-width: 2; }
.mark.on { stroke: var(--ink); stroke-width: 3; }
#details { position: sticky; bottom: 0; min-height: 3.2rem; margin: .75rem 0 0;
  padding: .5rem .75rem; background: var(--card); border: 1px solid var(--line); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; list-style: none; }
.legend li { display: flex; gap: .4rem; align-items: center; }
.legend svg { width: 1.75rem; height: 18px; flex: none; }
ol.last { padding-left: 2.5rem; font-size: .9rem; }
`

export const SCRIPT = `
const details = document.getElementById('details')
const track = document.querySelector('.track')
const lanes = [...document.querySelectorAll('svg.lane')]
let chosen = null
let zoom = 1
function show(mark) {
  if (chosen !== null) chosen.classList.remove('on')
  chosen = mark
  if (mark === null) return
  mark.classList.add('on')
  details.textContent = mark.querySelector('title').textContent
}
function enter(lane) {
  for (const each of lanes) each.tabIndex = each === lane ? 0 : -1
}
function choose(mark) {
  show(mark)
  if (mark !== null) mark.scrollIntoView({ block: 'nearest', inline: 'nearest' })
}
function setZoom(next) {
  const scroll = track.parentElement
  const middle = (scroll.scrollLeft + scroll.clientWidth / 2) / track.clientWidth
  zoom = Math.min(256, Math.max(1, next))
  track.style.width = zoom === 1 ? '' : 'max(' + 100 * zoom + '%, ' + 36 * zoom + 'rem)'
  scroll.scrollLeft = middle * track.clientWidth - scroll.clientWidth / 2
}
for (const lane of lanes) {
  const marks = [...lane.querySelectorAll('.mark')]
  lane.addEventListener('focus', () => enter(lane))
  lane.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const at = marks.indexOf(chosen)
    const move = { ArrowRight: at + 1, ArrowLeft: at < 0 ? marks.length - 1 : at - 1,
      Home: 0, End: marks.length - 1 }[event.key]
    const hop = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (move !== undefined && marks.length > 0) {
      event.preventDefault()
      choose(marks[Math.min(marks.length - 1, Math.max(0, move))])
    } else if (hop !== undefined) {
      event.preventDefault()
      lanes[Math.min(lanes.length - 1, Math.max(0, lanes.indexOf(lane) + hop))].focus()
    }
  })
  lane.addEventListener('pointerover', (event) => {
    if (event.target.classList.contains('mark')) show(event.target)
  })
}
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (event.key === '+' || event.key === '=') setZoom(zoom * 2)
  else if (event.key === '-') setZoom(zoom / 2)
  else if (event.key === 'Escape') show(null)
})
document.getElementById('closer').addEventListener('click', () => setZoom(zoom * 2))
document.getElementById('farther').addEventListener('click', () => setZoom(zoom / 2))
document.getElementById('whole').addEventListener('click', () => setZoom(1))
`
