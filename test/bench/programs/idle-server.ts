// A TCP server that greets each client with one byte and says no more. Prints its port.
import { type AddressInfo, createServer } from 'node:net';

const server = createServer((client) => client.on('error', () => {}).write('x'));
server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => console.log((server.address() as AddressInfo).port));
