/** As the platform warns; where it has no way to, nobody is told. */
export function warn(text: string): void {
  const process: unknown = Reflect.get(globalThis, 'process')
  if (typeof process !== 'object' || process === null) return
  const emitWarning: unknown = Reflect.get(process, 'emitWarning')
  if (typeof emitWarning === 'function') Reflect.apply(emitWarning, process, [text])
}
