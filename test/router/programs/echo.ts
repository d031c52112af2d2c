// A TCP server that answers each question with its name and the question. Prints its port; ends with its standard input.
import { createServer, type AddressInfo } from 'node:net';

const name = process.argv[2];
const server = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => {});
  socket.on('data', (question) => socket.write(`${name} ${question.toString()}`)).on('end', () => socket.end());
}).listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
process.stdin.on('end', () => process.exit(0)).resume();
