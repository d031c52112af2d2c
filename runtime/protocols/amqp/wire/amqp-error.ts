/** What AMQP calls an error: a condition that programs know, and a sentence for people (section 2.8.14 of AMQP 1.0). */
export class AmqpError extends Error {
  override readonly name = 'AmqpError';
  /** As `amqp:not-found`; sections 2.8.15 to 2.8.18. */
  readonly condition: string;
  constructor(condition: string, message: string) {
    super(message);
    this.condition = condition;
  }
}

/** The peer sent what is no AMQP: its connection ends. */
export function decodeError(what: string): AmqpError {
  return new AmqpError('amqp:decode-error', what);
}

export function framingError(what: string): AmqpError {
  return new AmqpError('amqp:connection:framing-error', what);
}
