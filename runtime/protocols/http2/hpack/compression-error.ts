/** A block of fields is not encoded as it must be: what follows on that connection cannot be understood (RFC 7541, section 2.2). */
export class CompressionError extends Error {
  override readonly name = 'CompressionError';
}
