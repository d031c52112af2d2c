import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { type WebSocket, WebSocketServer } from 'ws';
import { until } from '../../test/support/until.ts';
import { ClusterClient } from './client.ts';
import { reply, status } from './fake-api.testkit.ts';
import { HALF_CLOSE_IDLE_MS, openPortForward } from './port-forward.ts';

let http: Server;
/** What the kubelet does with the next connection. */
let kubelet: (socket: WebSocket) => void;
let protocols = ['v4.channel.k8s.io'];
let urls: string[] = [];

before(async () => {
  http = createServer();
  const server = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => protocols.find((one) => offered.has(one)) ?? false,
  });
  http.on('upgrade', (request, socket, head) => {
    urls.push(request.url!);
    server.handleUpgrade(request, socket, head, (webSocket) => {
      for (const channel of [0, 1]) webSocket.send(Buffer.from([channel, 0xe7, 0x23]));
      kubelet(webSocket);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
});
after(() => http.closeAllConnections());
after(() => http.close());

function client(): ClusterClient {
  const config = new KubeConfig();
  const { port } = http.address() as AddressInfo;
  config.loadFromClusterAndUser(
    { name: 'c', server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
    { name: 'u', token: 't' },
  );
  return new ClusterClient(async () => config, 'context west');
}
const open = (): Promise<Duplex> => openPortForward(client(), { namespace: 'shop', pod: 'caravan-1', port: 9191 });
const data = (bytes: Buffer) => Buffer.concat([Buffer.from([0]), bytes]);

test('bytes arrive whole and in order in both directions', async () => {
  urls = [];
  kubelet = (socket) => socket.on('message', (message) => socket.send(message as Buffer));
  const stream = await open();
  const sent = randomBytes(3_000_000);
  const received: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    received.push(chunk);
    size += chunk.length;
  });
  stream.write(sent.subarray(0, 10));
  stream.write(sent.subarray(10));
  while (size < sent.length) await once(stream, 'data');
  assert.ok(Buffer.concat(received).equals(sent));
  assert.deepEqual(urls, ['/api/v1/namespaces/shop/pods/caravan-1/portforward?ports=9191']);
  stream.destroy();
});

test('the end of the pod is the end of the stream', async () => {
  kubelet = (socket) => {
    socket.send(data(Buffer.from('bye')));
    socket.close(1000);
  };
  assert.equal((await buffer(await open())).toString(), 'bye');
});

test('with version 5 an end is told and the other direction stays', async () => {
  protocols = ['v5.channel.k8s.io'];
  kubelet = (socket) =>
    socket.on('message', (message: Buffer) => {
      if (message[0] !== 255) return;
      socket.send(data(Buffer.from(`after end of ${message[1]}`)));
      socket.send(Buffer.from([255, 0]));
    });
  const stream = await open();
  stream.end('x');
  assert.equal((await buffer(stream)).toString(), 'after end of 0');
  protocols = ['v4.channel.k8s.io'];
});

test(
  'with version 4 what the pod still says after our end arrives, and silence closes',
  { timeout: HALF_CLOSE_IDLE_MS * 2 },
  async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const closed = new Promise<number>((resolve) => {
      kubelet = (socket) => {
        socket.on('message', () => socket.send(data(Buffer.from('late'))));
        socket.on('close', resolve);
      };
    });
    const stream = await open();
    stream.end('x');
    assert.equal(String((await once(stream, 'data'))[0]), 'late');
    t.mock.timers.tick(HALF_CLOSE_IDLE_MS);
    await closed;
    t.mock.timers.reset();
    await once(stream, 'end');
  },
);

test('a port that nobody listens on is one sentence', async () => {
  kubelet = (socket) =>
    socket.send(Buffer.from('\u0001error forwarding port 9191: dial tcp4 127.0.0.1:9191: connect: connection refused'));
  const [error] = (await once(await open(), 'error')) as [Error];
  assert.equal(error.message, 'Nothing listens on port 9191 of the pod caravan-1 in shop (context west).');
});

test('a connection that breaks off is no clean end', async () => {
  kubelet = (socket) => socket.terminate();
  const [error] = (await once(await open(), 'error')) as [Error];
  assert.match(error.message, /^The port-forward to caravan-1 in shop \(context west\) broke off\.$/);
});

test('a slow reader stops the sender', async () => {
  let sent = 0;
  kubelet = (socket) => {
    const chunk = data(Buffer.alloc(64 * 1024));
    const pump = () => {
      if (socket.readyState !== socket.OPEN) return;
      if (socket.bufferedAmount < 1024 * 1024) sent += chunk.length;
      if (socket.bufferedAmount < 1024 * 1024) socket.send(chunk, pump);
      else setTimeout(pump, 5);
    };
    pump();
  };
  const stream = await open();
  stream.once('readable', () => undefined);
  let earlier = -1;
  while (earlier !== sent) {
    earlier = sent;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.ok(sent < 64 * 1024 * 1024, `${sent} bytes went out although nobody read`);
  stream.resume();
  await until('it to go on when the reader does', () => sent > earlier);
  stream.destroy();
});

test('a pod that takes nothing stops the writer', async () => {
  kubelet = (socket) => socket.pause();
  const stream = await open();
  const chunk = Buffer.alloc(256 * 1024);
  let written = 0;
  const write = () => {
    while (stream.write(chunk)) written += chunk.length;
    written += chunk.length;
    stream.once('drain', write);
  };
  write();
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.ok(written < 32 * 1024 * 1024, `${written} bytes were taken although nobody read`);
  stream.destroy();
});

test('a refusal of the API server keeps its own sentence', async () => {
  const refusing = createServer().on('upgrade', (_request, socket) => {
    const body = JSON.stringify(
      status(
        403,
        'pods "x" is forbidden: User "ada" cannot create resource "pods/portforward" in API group "" in the namespace "shop"',
      ),
    );
    socket.end(`HTTP/1.1 403 Forbidden\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`);
  });
  await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
  const config = new KubeConfig();
  const { port } = refusing.address() as AddressInfo;
  config.loadFromClusterAndUser({ name: 'c', server: `http://127.0.0.1:${port}`, skipTLSVerify: true }, { name: 'u' });
  const denied = new ClusterClient(async () => config, 'context west');
  await assert.rejects(openPortForward(denied, { namespace: 'shop', pod: 'p', port: 1 }), {
    code: 'forbidden',
    message: /^The user ada may not create pods\/portforward in the namespace shop/,
  });
  refusing.closeAllConnections();
  refusing.close();
});

test('opening can be cancelled and has a limit', async () => {
  const silent = createServer().on('upgrade', () => undefined);
  silent.on('request', (_request, response) => reply(response, 200, {}));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const config = new KubeConfig();
  const { port } = silent.address() as AddressInfo;
  config.loadFromClusterAndUser({ name: 'c', server: `http://127.0.0.1:${port}`, skipTLSVerify: true }, { name: 'u' });
  const stuck = new ClusterClient(async () => config, 'context west');
  const target = { namespace: 'shop', pod: 'p', port: 1 };
  await assert.rejects(openPortForward(stuck, target, { timeoutMs: 100 }), /does not answer \(0\.1 s\)/);
  const reason = new Error('cancelled');
  const cancelled = new AbortController();
  setTimeout(() => cancelled.abort(reason), 50);
  await assert.rejects(openPortForward(stuck, target, { signal: cancelled.signal }), reason);
  silent.closeAllConnections();
  silent.close();
});
