export function readIceSettings<T>(value: string, parse: (text: string) => T): Promise<T>
