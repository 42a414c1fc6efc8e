/**
 * Error codes of replies (W64), with the names of KeeperException.
 *
 * Codes above −100 are system errors, from −100 down API errors. CONNECTIONLOSS, OPERATIONTIMEOUT
 * and REQUESTTIMEOUT exist at the client only: no server sends them.
 */
export const ErrorCode = {
  OK: 0,
  SYSTEMERROR: -1,
  RUNTIMEINCONSISTENCY: -2,
  DATAINCONSISTENCY: -3,
  CONNECTIONLOSS: -4,
  MARSHALLINGERROR: -5,
  UNIMPLEMENTED: -6,
  OPERATIONTIMEOUT: -7,
  BADARGUMENTS: -8,
  UNKNOWNSESSION: -12,
  NEWCONFIGNOQUORUM: -13,
  RECONFIGINPROGRESS: -14,
  APIERROR: -100,
  NONODE: -101,
  NOAUTH: -102,
  BADVERSION: -103,
  NOCHILDRENFOREPHEMERALS: -108,
  NODEEXISTS: -110,
  NOTEMPTY: -111,
  SESSIONEXPIRED: -112,
  INVALIDCALLBACK: -113,
  INVALIDACL: -114,
  AUTHFAILED: -115,
  SESSIONMOVED: -118,
  NOTREADONLY: -119,
  EPHEMERALONLOCALSESSION: -120,
  NOWATCHER: -121,
  REQUESTTIMEOUT: -122,
  RECONFIGDISABLED: -123,
  SESSIONCLOSEDREQUIRESASLAUTH: -124,
  QUOTAEXCEEDED: -125,
  THROTTLEDOP: -127,
} as const

export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode]

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(ErrorCode).map(([name, code]) => [code, name]),
)

/** KeeperException's class names without the suffix; in capitals they are the constants. */
const CLASS_NAMES =
  'SystemError RuntimeInconsistency DataInconsistency ConnectionLoss MarshallingError ' +
  'Unimplemented OperationTimeout BadArguments UnknownSession NewConfigNoQuorum ' +
  'ReconfigInProgress APIError NoNode NoAuth BadVersion NoChildrenForEphemerals NodeExists ' +
  'NotEmpty SessionExpired InvalidCallback InvalidACL AuthFailed SessionMoved NotReadOnly ' +
  'EphemeralOnLocalSession NoWatcher RequestTimeout ReconfigDisabled ' +
  'SessionClosedRequireSaslAuth QuotaExceeded ThrottledOp'

const CLASS_NAME_OF: ReadonlyMap<string, string> = new Map(
  CLASS_NAMES.split(' ').map((name) => [name.toUpperCase(), name]),
)

/** What KeeperException prints where it is not the class name; null: it has no words either. */
const MESSAGES: Readonly<Record<string, string | null>> = {
  OK: 'ok',
  UNKNOWNSESSION: null,
  NOTEMPTY: 'Directory not empty',
  SESSIONEXPIRED: 'Session expired',
  INVALIDCALLBACK: 'Invalid callback',
  SESSIONMOVED: 'Session moved',
  NOTREADONLY: 'Not a read-only call',
  EPHEMERALONLOCALSESSION: 'Ephemeral node on local session',
  NOWATCHER: 'No such watcher',
  REQUESTTIMEOUT: null,
  RECONFIGDISABLED: 'Reconfig is disabled',
  SESSIONCLOSEDREQUIRESASLAUTH: 'Session closed because client failed to authenticate',
  QUOTAEXCEEDED: 'Quota has exceeded',
  THROTTLEDOP: 'Op throttled due to high load',
}

export function isErrorCode(code: number): code is ErrorCode {
  return NAMES.has(code)
}

/** The constant's name: 'NONODE'. */
export function errorCodeName(code: number): string {
  return NAMES.get(code) ?? String(code)
}

/** KeeperException's class without the suffix: 'NoNode', 'NotEmpty'; undefined for no error. */
export function errorClassName(code: number): string | undefined {
  return CLASS_NAME_OF.get(errorCodeName(code))
}

/** The words after the equals sign: 'NoNode', 'Directory not empty'. */
export function errorMessage(code: number): string {
  const name = errorCodeName(code)
  const words = Object.hasOwn(MESSAGES, name) ? MESSAGES[name] : CLASS_NAME_OF.get(name)
  return words ?? `Unknown error ${name}`
}

/** ZooKeeper's exception text: 'KeeperErrorCode = NoNode', with a path '… = NoNode for /a'. */
export function errorName(code: number, path?: string | null): string {
  const text = `KeeperErrorCode = ${errorMessage(code)}`
  return path === undefined || path === null || path === '' ? text : `${text} for ${path}`
}
