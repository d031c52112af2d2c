import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import rhea, { type Receiver } from 'rhea';
import { TestAuthority } from '../../../test/support/certificates.ts';
import { until } from '../../../test/support/until.ts';
import { silentLog } from '../../log.ts';
import { AmqpServer } from './amqp-server.ts';
import { Hubs } from './clients.testkit.ts';

function at(port: number) {
  return { host: '127.0.0.1', port, name: 'broker' };
}

describe('an AMQP server behind a connector', () => {
  let hubs: Hubs;
  let broker: Broker;
  let server: AmqpServer;
  afterEach(async () => {
    server.close();
    await broker.stop();
    await hubs.stop();
  });

  it('gets the messages of its address from anywhere, with the credit that it gives', async () => {
    hubs = await Hubs.start('a', 'b');
    broker = await Broker.start(0);
    const { port } = broker;
    server = new AmqpServer({ hub: hubs.hub('b'), log: silentLog, address: 'orders', target: at(port) });
    const sender = await (await hubs.client('a')).sender('orders');
    const first = await sender.send({ body: 1 });
    const second = await sender.send({ body: 2 });
    await until('its link', () => broker.links.length === 1);
    assert.equal((broker.links[0]!.target as { address: string }).address, 'orders');
    broker.links[0]!.add_credit(1);
    assert.equal((await sender.outcome(first)).kind, 'accepted');
    assert.deepEqual(broker.bodies, [1]);
    broker.links[0]!.add_credit(1);
    assert.equal((await sender.outcome(second)).kind, 'accepted');
    assert.deepEqual(broker.bodies, [1, 2]);
  });

  it('is connected to again when it comes back', async () => {
    hubs = await Hubs.start('a');
    broker = await Broker.start(10);
    const { port } = broker;
    server = new AmqpServer({ hub: hubs.hub('a'), log: silentLog, address: 'orders', target: at(port) });
    await until('the server', () => server.isReady);
    await broker.stop();
    await until('its end', () => !server.isReady);
    const sender = await (await hubs.client('a')).sender('orders');
    await until('why', () => server.problem === `broker refuses connections`);
    assert.equal(sender.link.sendable(), false);
    broker = await Broker.start(10, port);
    assert.equal(await sender.sendAndHear({ body: 'again' }), 'accepted');
    assert.deepEqual(broker.bodies, ['again']);
  });

  it('is spoken to in TLS, and only where its certificate is as wished', async () => {
    hubs = await Hubs.start('a');
    const authority = await TestAuthority.make();
    broker = await Broker.start(10, 0, false, await authority.issue(['broker.example']));
    const open = (serverName: string) =>
      new AmqpServer({
        hub: hubs.hub('a'),
        log: silentLog,
        address: 'orders',
        target: at(broker.port),
        tls: { authority: authority.certificate, serverName },
      });
    server = open('elsewhere.example');
    await until('why', () => /certificate for broker\.example, not for elsewhere\.example/.test(server.problem ?? ''));
    server.close();
    server = open('broker.example');
    const sender = await (await hubs.client('a')).sender('orders');
    assert.equal(await sender.sendAndHear({ body: 'sealed' }), 'accepted');
    assert.deepEqual(broker.bodies, ['sealed']);
  });

  it('is let go when it does not take the address', async () => {
    hubs = await Hubs.start('a');
    broker = await Broker.start(10, 0, true);
    const { port } = broker;
    server = new AmqpServer({ hub: hubs.hub('a'), log: silentLog, address: 'orders', target: at(port) });
    await until('why', () => server.problem === 'there is no queue of that name');
    assert.equal(server.isReady, false);
  });
});

interface Keys {
  certificate: string;
  key: string;
}

/** A server of the test, as far as a connector sees a broker. */
class Broker {
  readonly links: Receiver[] = [];
  readonly bodies: unknown[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(credit: number, port: number, refuses: boolean, tls: Keys | undefined) {
    const container = rhea.create_container({ receiver_options: { credit_window: credit } });
    for (const name of ['error', 'disconnected', 'connection_error', 'receiver_error']) container.on(name, () => {});
    container.on('receiver_open', ({ receiver }) => {
      if (!receiver) return;
      this.links.push(receiver);
      receiver.set_target(receiver.target);
      receiver.set_source(receiver.source);
      if (refuses) receiver.close({ condition: 'amqp:not-found', description: 'there is no queue of that name' });
    });
    container.on('message', ({ message }) => this.bodies.push(message?.body));
    const secure = tls && { transport: 'tls' as const, cert: tls.certificate, key: tls.key };
    this.#server = container.listen({ port, host: '127.0.0.1', ...secure });
    this.#server.on('connection', (socket: Socket) => this.#sockets.add(socket));
  }

  static async start(credit: number, port = 0, refuses = false, tls?: Keys): Promise<Broker> {
    const broker = new Broker(credit, port, refuses, tls);
    await once(broker.#server, 'listening');
    return broker;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy(new Error('the broker ends'));
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }
}
