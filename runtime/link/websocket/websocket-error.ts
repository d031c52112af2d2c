import type { CloseCode } from './opcodes.ts';

/** The other end sent what a WebSocket may not, or more than is taken. */
export class WebSocketError extends Error {
  override readonly name = 'WebSocketError';
  /** What to close the connection with. */
  readonly closeCode: CloseCode;

  constructor(closeCode: CloseCode, message: string) {
    super(message);
    this.closeCode = closeCode;
  }
}
