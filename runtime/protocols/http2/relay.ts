import type { Readable, Writable } from 'node:stream';

/** Passes all that is read on, at the pace of whoever takes it. Neither end is told of the other's: that is the caller's. */
export function relay(source: Readable, sink: Writable): void {
  source.on('data', (chunk: Buffer) => {
    // What nobody takes any more is dropped, so that the source comes to its end.
    if (!isGone(sink) && !sink.write(chunk)) source.pause();
  });
  sink.on('drain', () => source.resume());
  sink.once('close', () => source.resume());
}

/** Nothing can be written to it any more. */
export function isGone(sink: Writable): boolean {
  return sink.destroyed || sink.writableEnded;
}
