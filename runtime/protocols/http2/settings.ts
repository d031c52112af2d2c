import { ConnectionError, ErrorCode, FRAME_BYTES, MAX_WINDOW_BYTES } from './frames.ts';

/** RFC 9113, section 6.5.2. */
export const Setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

/** Each takes a number of 2 bytes and a value of 4. */
const SETTING_BYTES = 6;
const MOST_FRAME_BYTES = 2 ** 24 - 1;
/** There are a dozen that anybody knows of. */
const MOST_SETTINGS = 32;

export function encodeSettings(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(settings.length * SETTING_BYTES);
  for (const [at, [id, value]] of settings.entries()) {
    payload.writeUInt16BE(id, at * SETTING_BYTES);
    payload.writeUInt32BE(value, at * SETTING_BYTES + 2);
  }
  return payload;
}

/** Those that the other end has said, in their order. `fromServer`: that is a server. Throws a `ConnectionError`. */
export function decodeSettings(payload: Buffer, fromServer: boolean): [id: number, value: number][] {
  if (payload.length % SETTING_BYTES !== 0) throw new ConnectionError(ErrorCode.frameSize, 'settings are cut off');
  if (payload.length > MOST_SETTINGS * SETTING_BYTES)
    throw new ConnectionError(ErrorCode.enhanceYourCalm, 'it has too many settings');
  const settings: [number, number][] = [];
  for (let at = 0; at < payload.length; at += SETTING_BYTES) {
    const id = payload.readUInt16BE(at);
    const value = payload.readUInt32BE(at + 2);
    check(id, value, fromServer);
    settings.push([id, value]);
  }
  return settings;
}

function check(id: number, value: number, fromServer: boolean): void {
  if (id === Setting.initialWindowSize && value > MAX_WINDOW_BYTES)
    throw new ConnectionError(ErrorCode.flowControl, 'it opens its windows too far');
  // Nobody pushes to a server.
  const isWrongPush = id === Setting.enablePush && value > (fromServer ? 0 : 1);
  const isWrongSize = id === Setting.maxFrameSize && (value < FRAME_BYTES || value > MOST_FRAME_BYTES);
  if (isWrongPush || isWrongSize) throw new ConnectionError(ErrorCode.protocol, 'a setting has a value that it cannot have');
}
