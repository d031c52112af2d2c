/** A message that breaks HTTP or a limit of ours. `status` is what a client is told; `message` completes "the request". */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
