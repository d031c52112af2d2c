import { acrossPeers } from '../across-peers.ts';
import { Program } from '../program.ts';
import type { Row } from '../row.ts';

export const MESSAGE_BYTES = 1024;

export const amqpMessages: Row = {
  name: 'amqp-messages',
  title: 'AMQP messages of 1 KiB',
  how: 'a sender and a receiver in rhea, each message accepted',
  unit: 'messages/s',
  better: 'more',
  aim: { times: 1, of: 'direct' },
  prepare: async ({ seconds }, scope) => {
    const receiver = scope.use(Program.own('amqp-receiver'));
    const target = { port: await receiver.printsPort(), protocol: 'amqp' as const };
    return acrossPeers(target, scope, async (port) => {
      const sender = scope.use(Program.own('amqp-sender', port, MESSAGE_BYTES, seconds));
      return Number(await sender.output());
    });
  },
};
