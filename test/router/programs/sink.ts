// A server that takes whatever comes: prints its port; ends with its standard input.
import { type AddressInfo, createServer } from 'node:net';

const server = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
server.on('listening', () => console.log((server.address() as AddressInfo).port));
process.stdin.on('end', () => process.exit(0)).resume();
