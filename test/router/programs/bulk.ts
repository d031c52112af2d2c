// A client that sends as fast as it can to a local port; ends with its standard input.
import { connect, type Socket } from 'node:net';

const chunk = Buffer.alloc(256 * 1024);
const socket = connect(Number(process.argv[2]), '127.0.0.1', () => fill(socket));
process.stdin.on('end', () => process.exit(0)).resume();

function fill(to: Socket): void {
  while (to.write(chunk));
  to.once('drain', () => fill(to));
}
