/** Request types, which are also the types of transactions (W18–W44, W71). */
export const OpCode = {
  notification: 0,
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getACL: 6,
  setACL: 7,
  getChildren: 8,
  sync: 9,
  ping: 11,
  getChildren2: 12,
  check: 13,
  multi: 14,
  create2: 15,
  reconfig: 16,
  checkWatches: 17,
  removeWatches: 18,
  createContainer: 19,
  deleteContainer: 20,
  createTTL: 21,
  multiRead: 22,
  auth: 100,
  setWatches: 101,
  sasl: 102,
  getEphemerals: 103,
  getAllChildrenNumber: 104,
  setWatches2: 105,
  addWatch: 106,
  whoAmI: 107,
  createSession: -10,
  closeSession: -11,
  error: -1,
} as const

export type OpCode = (typeof OpCode)[keyof typeof OpCode]

const NAMES: ReadonlyMap<number, string> = /* @__PURE__ */ namesByCode()

export function isOpCode(code: number): code is OpCode {
  return NAMES.has(code)
}

function namesByCode(): Map<number, string> {
  return new Map(Object.entries(OpCode).map(([name, code]) => [code, name]))
}

export function opName(code: number): string {
  return NAMES.get(code) ?? `unknown ${code}`
}

/** xids that do not come from a request of the application (W15). */
export const SpecialXid = {
  notification: -1,
  ping: -2,
  auth: -4,
  setWatches: -8,
} as const
