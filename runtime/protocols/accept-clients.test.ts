import assert from 'node:assert/strict';
import { connect as connectPlain, type Socket } from 'node:net';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { afterEach, before, describe, it } from 'node:test';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { TestAuthority, type TestCertificate } from '../../test/support/certificates.ts';
import { received } from '../../test/support/tcp.ts';
import { until } from '../../test/support/until.ts';
import { createLog, type Log } from '../log.ts';
import { acceptClients } from './accept-clients.ts';
import type { ClientInfo } from './client-info.ts';
import type { ProtocolListener } from './listener.ts';
import { abort } from './splice.ts';
import type { ServerTls } from './tls/server-tls.ts';

let authority: TestAuthority;
let stranger: TestAuthority;
let server: TestCertificate;
before(async () => {
  [authority, stranger] = await Promise.all([TestAuthority.make(), TestAuthority.make('a stranger')]);
  server = await authority.issue(['localhost', '127.0.0.1']);
});

/** The client that came, and what is known of it. */
const came: { client: Duplex; info: ClientInfo }[] = [];
const lines: string[] = [];
const log: Log = createLog({ level: 'debug', format: 'json', write: (line) => void lines.push(line) });
const clients: Socket[] = [];
let listener: ProtocolListener | undefined;
afterEach(() => {
  listener?.close();
  for (const client of clients.splice(0)) client.destroy();
  for (const { client } of came.splice(0)) client.destroy();
  lines.length = 0;
});

interface TestWay {
  address: string;
  log: Log;
  tls: ServerTls | undefined;
}

/** Opens a listener that echoes, and gives what it may be changed by. */
async function listen(tls?: Partial<ServerTls>, unread = false): Promise<TestWay> {
  const way: TestWay = { address: 'orders', log, tls: tls && { ...server, alpn: ['h2', 'http/1.1', '*'], ...tls } };
  listener = await acceptClients(
    '127.0.0.1',
    0,
    way,
    (client, info) => {
      came.push({ client, info });
      client.pipe(client);
    },
    { unread },
  );
  return way;
}

/** A client whose handshake is done. */
async function dialTls(options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectPlain({ port: listener!.port, host: '127.0.0.1', allowHalfOpen: true });
  const client = connect({ socket, ca: authority.certificate, servername: 'localhost', ...options });
  clients.push(socket, client);
  socket.on('error', () => {});
  await once(client, 'secureConnect');
  client.on('error', () => {});
  return client;
}

async function asked(client: Socket, question = 'hello'): Promise<string> {
  const answer = received(client);
  client.end(question);
  return (await answer).toString();
}

/** In TLS 1.3 a client's handshake ends before the server has seen the client's certificate. */
async function refusedOrCut(dialled: Promise<TLSSocket>): Promise<void> {
  const answer = await dialled.then((client) => asked(client)).catch(() => '');
  assert.equal(answer, '');
}

describe('a listener without TLS', () => {
  it('knows where its client is, and what it connected to', async () => {
    await listen();
    const client = connectPlain({ port: listener!.port, host: '127.0.0.1', allowHalfOpen: true });
    clients.push(client);
    assert.equal(await asked(client), 'hello');
    const local = { host: '127.0.0.1', port: listener!.port };
    assert.equal(came[0]!.info.client?.host, '127.0.0.1');
    assert.notEqual(came[0]!.info.client?.port, local.port);
    assert.deepEqual(came[0]!.info.listener, local);
    assert.equal(came[0]!.info.alpn, undefined);
  });
});

for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
  describe(`a listener with ${version}`, () => {
    const only = { minVersion: version, maxVersion: version };

    for (const unread of [false, true])
      it(`gives what the client says, and keeps half-close${unread ? ', where nothing is read ahead' : ''}`, async () => {
        await listen({}, unread);
        const client = await dialTls(only);
        assert.equal(client.getProtocol(), version);
        const { localPort } = client;
        assert.equal(await asked(client), 'hello');
        assert.deepEqual(came[0]!.info.client, { host: '127.0.0.1', port: localPort });
        assert.deepEqual(came[0]!.info.listener, { host: '127.0.0.1', port: listener!.port });
      });

    it('passes a reset on to the client', async () => {
      await listen({});
      const client = await dialTls(only);
      const outcome = received(client);
      await until('the client', () => came.length === 1);
      abort(came[0]!.client, new Error('over'));
      await assert.rejects(outcome, { code: 'ECONNRESET' });
    });

    it('asks for a certificate where it has an authority for clients', async () => {
      await listen({ clientAuthority: authority.certificate });
      const own = await authority.issue(['a client']);
      assert.equal(await asked(await dialTls({ ...only, cert: own.certificate, key: own.key })), 'hello');
    });

    it('refuses a client without one, and says so', async () => {
      await listen({ clientAuthority: authority.certificate });
      await assert.rejects(async () => asked(await dialTls(only)));
      await until('the reason', () => lines.some((line) => line.includes('it shows no certificate')));
      assert.equal(came.length, 0);
    });

    it('refuses one that a stranger signed, and says so', async () => {
      await listen({ clientAuthority: authority.certificate });
      const own = await stranger.issue(['a client']);
      await refusedOrCut(dialTls({ ...only, cert: own.certificate, key: own.key }));
      await until('the reason', () =>
        lines.some((line) => line.includes("it shows a certificate that ca.crt of the listener's Secret did not sign")),
      );
      assert.equal(came.length, 0);
    });

    it('refuses one that has expired, and says so', async () => {
      await listen({ clientAuthority: authority.certificate });
      const own = await authority.issue(['a client'], { days: -1 });
      await refusedOrCut(dialTls({ ...only, cert: own.certificate, key: own.key }));
      await until('the reason', () => lines.some((line) => line.includes('it shows a certificate that has expired')));
      assert.equal(came.length, 0);
    });
  });

describe('a listener with TLS', () => {
  for (const when of ['at the end of its handshake', 'right after it'])
    // Node would go on with memory that the reset frees.
    it(`survives that a client is reset ${when}`, async () => {
      listener = await acceptClients('127.0.0.1', 0, { address: 'orders', log, tls: { ...server, alpn: [] } }, (client) => {
        const reset = () => abort(client, new Error('nobody serves it'));
        if (when === 'right after it') queueMicrotask(reset);
        else reset();
      });
      for (let count = 0; count < 20; count++) {
        const client = await dialTls();
        await assert.rejects(received(client), { code: 'ECONNRESET' });
      }
    });

  it('takes no version before 1.2', async () => {
    await listen({});
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await assert.rejects(dialTls(old), { code: /ALERT_PROTOCOL_VERSION/ });
    await until('the reason', () => lines.some((line) => line.includes('it speaks no TLS from version 1.2 on')));
  });

  it('says that a client does not speak TLS', async () => {
    await listen({});
    const client = connectPlain({ port: listener!.port, host: '127.0.0.1' });
    clients.push(client);
    client.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await until('the reason', () => lines.some((line) => line.includes('it does not speak TLS')));
  });

  it('says that a client does not trust it', async () => {
    await listen({});
    await assert.rejects(dialTls({ ca: stranger.certificate }), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
    assert.equal(came.length, 0);
  });

  for (const [alpn, offered, agreed] of [
    [['h2', 'http/1.1', '*'], ['http/1.1', 'h2'], 'h2'],
    [['h2', 'http/1.1', '*'], ['spdy/3', 'http/1.1'], 'http/1.1'],
    [['h2', 'http/1.1', '*'], ['postgresql'], 'postgresql'],
    [['http/1.1'], ['h2', 'http/1.1'], 'http/1.1'],
    [['http/1.1'], undefined, undefined],
  ] as const)
    it(`that takes ${alpn.join(', ')} agrees with ${offered?.join(', ') ?? 'nothing'} on ${agreed ?? 'nothing'}`, async () => {
      await listen({ alpn });
      const client = await dialTls(offered ? { ALPNProtocols: [...offered] } : {});
      assert.equal(client.alpnProtocol, agreed ?? false);
      assert.equal(await asked(client), 'hello');
      assert.equal(came[0]!.info.alpn, agreed);
    });

  it('refuses a client with which it agrees on none', async () => {
    await listen({ alpn: ['http/1.1'] });
    await assert.rejects(dialTls({ ALPNProtocols: ['h2'] }), { code: /NO_APPLICATION_PROTOCOL/ });
  });

  it('shows another certificate once it has changed, and leaves connections alone', async () => {
    const way = await listen({});
    const first = await dialTls();
    const other = await stranger.issue(['localhost']);
    way.tls = { ...way.tls!, ...other };
    await assert.rejects(dialTls(), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
    assert.equal(await asked(await dialTls({ ca: stranger.certificate })), 'hello');
    assert.equal(await asked(first), 'hello');
  });

  it('stops a client, with bounded memory, when nobody reads it', async () => {
    listener = await acceptClients(
      '127.0.0.1',
      0,
      { address: 'orders', log, tls: { ...server, alpn: [] } },
      (client, info) => void came.push({ client, info }),
      { unread: true },
    );
    const client = await dialTls();
    const chunk = Buffer.alloc(1024 * 1024);
    const drained = new Promise((resolve) => client.once('drain', () => resolve('all was taken')));
    for (let sent = 0; sent < 64; sent++) client.write(chunk);
    await until('the client', () => came.length === 1);
    // What the kernel and the listener have room for is taken soon; then nothing moves.
    let last = -1;
    await until('it to stall', async () => {
      const stalls = last === client.bytesWritten - client.writableLength && last > 0;
      last = client.bytesWritten - client.writableLength;
      await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, 300))]);
      return stalls;
    });
    assert.ok(client.writableLength > 32 * 1024 * 1024, `${client.writableLength} bytes of 64 MiB are left`);
  });

  it('resumes no session that began without the client certificate that is asked for now', async () => {
    const way = await listen({});
    const first = await dialTls({ maxVersion: 'TLSv1.2' });
    const session = first.getSession();
    assert.equal(await asked(first), 'hello');
    const again = await dialTls({ maxVersion: 'TLSv1.2', session: session! });
    assert.ok(again.isSessionReused(), 'sessions are resumed at all');
    way.tls = { ...way.tls!, clientAuthority: authority.certificate };
    await assert.rejects(async () => asked(await dialTls({ maxVersion: 'TLSv1.2', session: session! })));
  });
});
