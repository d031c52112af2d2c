// An AMQP 1.0 server that takes messages to any address and accepts each. Prints its port.
import type { AddressInfo } from 'node:net';
import { rhea } from './rhea.ts';

const container = rhea.create_container();
// By itself rhea answers without a target, which says no (AMQP 1.0, section 2.6.3).
container.on('receiver_open', ({ receiver }) => receiver.set_target(receiver.target));
container.on('message', () => {});
container.on('connection_error', () => {});
container.on('disconnected', () => {});
const server = container.listen({ host: '127.0.0.1', port: 0 });
server.on('listening', () => console.log((server.address() as AddressInfo).port));
