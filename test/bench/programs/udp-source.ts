// Sends datagrams of BYTES to a `udp-sink` on PORT for SECONDS, a window ahead of what is confirmed; prints how many arrived a second.
// Fails where one is lost.
import { createSocket } from 'node:dgram';
import { WINDOW } from './udp-window.ts';

/** No confirmation for this long means that something was lost. Milliseconds. */
const LOST_AFTER_MS = 10_000;

const [port, bytes, seconds] = process.argv.slice(2).map(Number) as [number, number, number];
const payload = Buffer.alloc(bytes, 'x');
const socket = createSocket({ type: 'udp4', recvBufferSize: 1024 * 1024 });
let sent = 0;
let confirmed = 0;
const start = performance.now();
const watch = setTimeout(() => fail(`${sent - confirmed} of ${sent} datagrams were lost`), LOST_AFTER_MS);

socket.on('message', (confirmation) => {
  confirmed = confirmation.readUInt32BE(0);
  watch.refresh();
  const elapsed = performance.now() - start;
  if (elapsed < seconds * 1000) return send();
  console.log((confirmed * 1000) / elapsed);
  process.exit(0);
});
socket.on('error', (error) => fail(error.message));
socket.connect(port, '127.0.0.1', send);

function send(): void {
  for (; sent < confirmed + WINDOW; sent++) socket.send(payload);
}

function fail(why: string): void {
  console.error(why);
  process.exit(1);
}
