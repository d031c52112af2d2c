// Passes TCP connections on to PORT of loopback, every byte MS later in each direction. Prints its own port.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Held for one direction at most; beyond it the sender waits. Far above what any row sends in the delay. Bytes. */
const MAX_HELD_BYTES = 256 * 1024 * 1024;
/** How exact the delay is. Milliseconds. */
const TICK_MS = 1;

const [target, delayMs] = process.argv.slice(2).map(Number) as [number, number];

const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
  const onward = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  delay(client, onward);
  delay(onward, client);
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));

/** What arrives at one is sent by the other when its time has come; so is its end. */
function delay(from: Socket, to: Socket): void {
  const waiting: { at: number; chunk: Buffer | undefined }[] = [];
  let held = 0;
  let timer: NodeJS.Timeout | undefined;
  const hold = (chunk: Buffer | undefined) => {
    waiting.push({ at: performance.now() + delayMs, chunk });
    held += chunk?.length ?? 0;
    if (held > MAX_HELD_BYTES) from.pause();
    timer ??= setTimeout(release, delayMs);
  };
  const release = () => {
    const now = performance.now();
    let due = 0;
    to.cork();
    for (; due < waiting.length && waiting[due]!.at <= now; due++) {
      const { chunk } = waiting[due]!;
      held -= chunk?.length ?? 0;
      if (chunk) to.write(chunk);
      else to.end();
    }
    to.uncork();
    waiting.splice(0, due);
    if (held <= MAX_HELD_BYTES) from.resume();
    timer = waiting.length > 0 ? setTimeout(release, TICK_MS) : undefined;
  };
  from.on('data', hold);
  from.on('end', () => hold(undefined));
  from.on('error', () => to.destroy());
  from.on('close', () => from.readableEnded || to.destroy());
}
