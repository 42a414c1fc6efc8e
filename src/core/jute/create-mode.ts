/** How a znode is created (W67). The flag is a number to look up: 4–6 are values, not bits. */

export interface CreateMode {
  readonly name: string
  /** `flags` of CreateRequest. */
  readonly flag: number
  readonly isEphemeral: boolean
  readonly isSequential: boolean
  readonly isContainer: boolean
  readonly isTTL: boolean
}

interface CreateModes {
  readonly PERSISTENT: CreateMode
  readonly EPHEMERAL: CreateMode
  readonly PERSISTENT_SEQUENTIAL: CreateMode
  readonly EPHEMERAL_SEQUENTIAL: CreateMode
  readonly CONTAINER: CreateMode
  readonly PERSISTENT_WITH_TTL: CreateMode
  readonly PERSISTENT_SEQUENTIAL_WITH_TTL: CreateMode
}

export const CreateMode: CreateModes = {
  PERSISTENT: createMode('PERSISTENT', 0),
  EPHEMERAL: createMode('EPHEMERAL', 1),
  PERSISTENT_SEQUENTIAL: createMode('PERSISTENT_SEQUENTIAL', 2),
  EPHEMERAL_SEQUENTIAL: createMode('EPHEMERAL_SEQUENTIAL', 3),
  CONTAINER: createMode('CONTAINER', 4),
  PERSISTENT_WITH_TTL: createMode('PERSISTENT_WITH_TTL', 5),
  PERSISTENT_SEQUENTIAL_WITH_TTL: createMode('PERSISTENT_SEQUENTIAL_WITH_TTL', 6),
}

const BY_FLAG: ReadonlyMap<number, CreateMode> = /* @__PURE__ */ modesByFlag()

/** undefined for an unknown flag, which the server answers with BADARGUMENTS (D6). */
export function createModeFromFlag(flag: number): CreateMode | undefined {
  return BY_FLAG.get(flag)
}

function modesByFlag(): Map<number, CreateMode> {
  return new Map(Object.values<CreateMode>({ ...CreateMode }).map((mode) => [mode.flag, mode]))
}

function createMode(name: string, flag: number): CreateMode {
  return {
    name,
    flag,
    isEphemeral: name.startsWith('EPHEMERAL'),
    isSequential: name.includes('SEQUENTIAL'),
    isContainer: name === 'CONTAINER',
    isTTL: name.endsWith('WITH_TTL'),
  }
}
