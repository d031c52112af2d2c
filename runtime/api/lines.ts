import type { Readable } from 'node:stream';
import { CaravanError } from '../errors.ts';

/** A line longer than this is refused: no status of a real network comes near. Bytes. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

/**
 * The lines of a stream without the empty ones, which only tell that it lives. Throws `unreachable` after `silenceMs` without a
 * byte. Reads no faster than the lines are taken.
 */
export async function* readLines(stream: Readable, silenceMs: number): AsyncGenerator<string, void, undefined> {
  let parts: Buffer[] = [];
  let size = 0;
  const silent = () =>
    stream.destroy(
      new CaravanError('unreachable', `The site has said nothing for ${silenceMs / 1000} s: the connection is lost.`),
    );
  let timer = setTimeout(silent, silenceMs);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      clearTimeout(timer); // while the reader is busy with a line, the silence is ours
      let start = 0;
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
        parts.push(chunk.subarray(start, end));
        const line = Buffer.concat(parts).toString('utf8');
        parts = [];
        size = 0;
        start = end + 1;
        if (line !== '') yield line;
      }
      parts.push(chunk.subarray(start));
      size += chunk.length - start;
      if (size > MAX_LINE_BYTES)
        throw new CaravanError('unreachable', `A line of the answer is larger than ${MAX_LINE_BYTES} bytes.`);
      timer = setTimeout(silent, silenceMs);
    }
  } finally {
    clearTimeout(timer);
    stream.destroy();
  }
}
