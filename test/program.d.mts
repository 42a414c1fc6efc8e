/** The repository's top. */
export const TOP: string
/** Where tests keep what they got or built. */
export const CACHE: string
