import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import rhea, { type Connection, type Receiver, type Sender } from 'rhea';
import { RheaClient } from '../../../runtime/protocols/amqp/clients.testkit.ts';
import { until } from '../../support/until.ts';
import type { SiteProcess } from '../site-processes.ts';
import type { Door, EchoServer, Flood, FloodOptions, Protocol, Server } from './protocol.ts';

const MIB = 1024 * 1024;
/** What a flood is made of. */
const MESSAGE = Buffer.alloc(256 * 1024, 'flood');
/** Credit that a receiver gives, in messages. */
const CREDIT = 20;

const aMessage = 'an exchange is a message and its answer';

/** Requests go to a server behind a connector; it answers as a client of its own site's listener. */
export const amqp: Protocol = {
  name: 'amqp',
  type: 'amqp',
  omits: {
    'server speaks first': `${aMessage}: a server knows its client by its first message`,
    'client ends first': `${aMessage}: each is whole, and links end in both directions`,
    'server ends first': `${aMessage}: each is whole, and links end in both directions`,
    reset: 'a message is accepted, released or sent again, whatever becomes of connections (amqp-clients.spec.ts)',
    'listener removed': 'its clients are closed with amqp:connection:forced, and attach elsewhere',
  },
  startEcho,
  ask: async ({ address, port }, payload) => {
    const client = await RheaClient.connect(port);
    try {
      const replies = await client.receiver({ address: '', dynamic: true });
      const sender = await client.sender(address);
      await sender.send({ body: dataOf(payload), reply_to: replies.address });
      const [answer] = await replies.count(1);
      return bytesOf(answer!.message);
    } finally {
      client.cut();
    }
  },
  // The port is open always, since whoever receives comes before who sends. A message that nobody would get is refused.
  isShut: async (door) => (await unanswered(door)) === 'amqp:not-found',
  learns: { refused: /amqp:not-found/, unreachable: /amqp:not-found/, hanging: /amqp:not-found/ },
  failure: unanswered,
  flood,
  bytesInFlight: 32 * MIB,
};

/** How a message ends of which nothing is answered. */
async function unanswered({ address, port }: Door): Promise<string | undefined> {
  const client = await RheaClient.connect(port);
  try {
    const sender = await client.sender(null);
    const { kind, state } = await sender.outcome(await sender.send({ to: address, body: 'is anybody there?' }));
    return kind === 'rejected' ? (state as { error: { condition: string } }).error.condition : kind;
  } finally {
    client.cut();
  }
}

async function startEcho(at: SiteProcess): Promise<EchoServer> {
  const client = await RheaClient.connect(await portOf(at));
  const answers = await client.sender(null);
  let exchanges = 0;
  const server = await startServer(CREDIT, (receiver) =>
    receiver.on('message', ({ message }) => {
      exchanges++;
      answers.link.send({ to: message!.reply_to!, body: dataOf(bytesOf(message)) });
    }),
  );
  return {
    port: server.port,
    stop: async () => {
      client.cut();
      await server.stop();
    },
    get exchanges() {
      return exchanges;
    },
  };
}

async function flood({ direction, total, offer, at }: FloodOptions): Promise<Flood> {
  const count = Math.ceil(total / MESSAGE.length);
  let received = 0;
  let reader: Socket | undefined;
  const attached = (receiver: Receiver): void => {
    receiver.on('message', ({ message }) => (received += bytesOf(message).length));
    reader = socketOf(receiver.connection);
    reader.pause();
  };
  const server = await (direction === 'to the server' ? startServer(CREDIT, attached) : startServer(0, () => {}));
  const { address, port } = await offer(server.port);
  const near = await RheaClient.connect(port);
  const far = await RheaClient.connect(await portOf(at));
  // Only who gives credit gets anything.
  if (direction === 'to the client') attached((await near.receiver(address, { credit_window: CREDIT })).link);
  const sender = await (direction === 'to the server' ? near : far).sender(address);
  const socket = socketOf(sender.link.connection);
  await sender.credit();
  sendAll(sender.link, count);
  return {
    accepted: () => socket.bytesWritten - socket.writableLength,
    read: async () => {
      reader!.resume();
      await until('all of it', () => received >= count * MESSAGE.length);
      return received;
    },
    stop: async () => {
      near.cut();
      far.cut();
      await server.stop();
    },
  };
}

function sendAll(sender: Sender, count: number): void {
  let left = count;
  const more = (): void => {
    while (left > 0 && sender.sendable()) {
      left--;
      sender.send({ body: dataOf(MESSAGE) });
    }
  };
  sender.on('sendable', more);
  more();
}

/** A server as a connector sees it. @param attached Is told of the link by which it gets messages. */
async function startServer(credit: number, attached: (receiver: Receiver) => void): Promise<Server> {
  const container = rhea.create_container({ receiver_options: { credit_window: credit } });
  for (const name of ['error', 'disconnected', 'connection_error', 'receiver_error']) container.on(name, () => {});
  container.on('receiver_open', ({ receiver }) => {
    receiver!.set_target(receiver!.target);
    receiver!.set_source(receiver!.source);
    attached(receiver);
  });
  const sockets = new Set<Socket>();
  const server = container.listen({ port: 0, host: '127.0.0.1' });
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      // An error is what rhea notices; else its timers would keep the process alive.
      for (const socket of sockets) socket.destroy(new Error('the server ends'));
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A listener for every address, at each site that servers answer through. */
const ports = new WeakMap<SiteProcess, Promise<number>>();

function portOf(site: SiteProcess): Promise<number> {
  const port = ports.get(site) ?? site.listen('', 'amqp');
  ports.set(site, port);
  return port;
}

function socketOf(connection: Connection): Socket {
  return (connection as unknown as { socket: Socket }).socket;
}

function dataOf(bytes: Buffer): unknown {
  return rhea.message.data_section(bytes);
}

function bytesOf({ body }: rhea.Message): Buffer {
  return (body as { content: Buffer }).content;
}
