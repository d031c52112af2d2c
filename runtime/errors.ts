/**
 * An error that a person may read: `message` is one sentence that says what is wrong and what to do, `code` is stable.
 * Everything that reaches a notification, the tree or the command line is one of these; any other error is a defect.
 */
export class CaravanError extends Error {
  override readonly name = 'CaravanError';
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** By name: each bundle has a copy of this class, and an error of one is caught in another. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'CaravanError';
  }
}

const CODES = [
  'bad-request',
  'conflict',
  'forbidden',
  'not-found',
  'not-running',
  'not-saved',
  'no-way-in',
  'revoked',
  'timeout',
  'token-expired',
  'token-invalid',
  'token-unknown',
  'token-used-up',
  'unauthorized',
  'unreachable',
] as const;
export type ErrorCode = (typeof CODES)[number];

/** Whether what another site says is a code of ours. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return (CODES as readonly unknown[]).includes(value);
}

/** The sentence of any error: a `CaravanError`'s own, else what the system said. */
export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
