/** RFC 6455, section 5.2. From 8 on they are control frames. */
export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** The first byte: this frame is the last of its message. */
export const FIN = 0x80;
/** The second byte: a mask follows the length. */
export const MASKED = 0x80;
/** The second byte: the length stands in the next 2, or 8, bytes. */
export const LENGTH_16 = 126;
export const LENGTH_64 = 127;
export const MASK_BYTES = 4;
/** RFC 6455, section 5.5. */
export const MAX_CONTROL_BYTES = 125;

/** Why a WebSocket is closed: RFC 6455, section 7.4.1. */
export const CloseCode = { normal: 1000, protocolError: 1002, unsupportedData: 1003, tooLarge: 1009 } as const;
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];
