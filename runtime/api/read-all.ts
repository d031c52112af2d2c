import type { Readable } from 'node:stream';

/** All that a message says, as text. Rejects with `tooLarge`'s error where that is more than so many bytes. */
export async function readAll(message: Readable, most: number, tooLarge: () => Error): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > most) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
