import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { ConnectProxy, type ConnectProxyOptions } from '../../test/support/connect-proxy.ts';
import { TestServer, received } from '../../test/support/tcp.ts';
import { connectThrough, type HttpProxy, proxyFor } from './http-proxy.ts';

const FAR = { host: 'far.example', port: 8443 };

describe('the proxy of a connection', () => {
  const through = { host: 'proxy.example', port: 3128, isSecure: false };

  it('is HTTPS_PROXY, in either case, else an ALL_PROXY of HTTP', () => {
    const url = 'http://proxy.example:3128';
    for (const name of ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'])
      assert.deepEqual(proxyFor(FAR, { [name]: url }), through);
    assert.equal(proxyFor(FAR, { HTTP_PROXY: url }), undefined);
    assert.equal(proxyFor(FAR, { ALL_PROXY: 'socks5://proxy.example:1080' }), undefined);
    assert.deepEqual(proxyFor(FAR, { HTTPS_PROXY: url, ALL_PROXY: 'socks5://proxy.example:1080' }), through);
  });

  it('is none for what NO_PROXY lists, for loopback, and where the variable is empty', () => {
    const environment = { https_proxy: 'proxy.example:3128', no_proxy: '.example' };
    assert.equal(proxyFor(FAR, environment), undefined);
    assert.equal(proxyFor({ ...FAR, host: '127.0.0.1' }, environment), undefined);
    assert.deepEqual(proxyFor({ ...FAR, host: 'far.test' }, environment), through);
    assert.equal(proxyFor(FAR, { HTTPS_PROXY: '' }), undefined);
  });

  it('is not Caravan’s own, which leads terminals into the network', () => {
    const own = { https_proxy: 'http://127.0.0.1:1080', all_proxy: 'socks5h://127.0.0.1:1080', no_proxy: 'localhost' };
    assert.equal(proxyFor(FAR, own), undefined);
  });

  it('has the port of its scheme, an IPv6 address without brackets, and user and password as they were meant', () => {
    assert.equal(proxyFor(FAR, { HTTPS_PROXY: 'proxy.example' })?.port, 80);
    const proxy = proxyFor(FAR, { HTTPS_PROXY: 'https://us%40er:p%3Aw%zz@[2001:db8::7]' });
    const authorization = `Basic ${Buffer.from('us@er:p%3Aw%zz').toString('base64')}`;
    assert.deepEqual(proxy, { host: '2001:db8::7', port: 443, isSecure: true, authorization });
  });

  it('that is none says so, without its password', () => {
    for (const value of ['socks5://me:hidden@proxy.example', 'http://me:hidden@:80', '://me:hidden'])
      assert.throws(() => proxyFor(FAR, { HTTPS_PROXY: value }), {
        message: 'HTTPS_PROXY is no URL that links can use: write http://HOST:PORT or https://HOST:PORT',
      });
  });
});

describe('a connection through a proxy', () => {
  async function proxyOf(t: TestContext, options: ConnectProxyOptions = {}): Promise<HttpProxy & { targets: string[] }> {
    const proxy = await ConnectProxy.start(options);
    t.after(() => proxy.stop());
    return { host: '127.0.0.1', port: proxy.port, isSecure: false, targets: proxy.targets };
  }
  const within = () => AbortSignal.timeout(10_000);

  for (const userinfo of [undefined, 'me:päss'])
    it(`carries what is said, also what comes with the answer${userinfo ? ', to who has the password' : ''}`, async (t) => {
      const server = await TestServer.start((socket) => {
        socket.write('hello ');
        socket.pipe(socket);
      });
      t.after(() => server.stop());
      const { targets, ...proxy } = await proxyOf(t, userinfo === undefined ? {} : { userinfo });
      const authorization = userinfo && `Basic ${Buffer.from(userinfo).toString('base64')}`;
      const to = { host: '2001:db8::7', port: server.port };
      const socket = await connectThrough({ ...proxy, ...(authorization && { authorization }) }, to, within());
      const answer = received(socket);
      socket.end('you');
      assert.equal((await answer).toString(), 'hello you');
      assert.deepEqual(targets, [`[2001:db8::7]:${server.port}`]);
    });

  const refusals: [options: ConnectProxyOptions, authorization: string | undefined, why: string][] = [
    [{ userinfo: 'a:b' }, undefined, 'wants a user and a password: put them into HTTPS_PROXY, as http://USER:PASSWORD@HOST:PORT'],
    [{ userinfo: 'a:b' }, 'Basic xyz', 'does not take the user and the password in HTTPS_PROXY'],
    [{ status: 403 }, undefined, 'lets nobody through to far.example:8443 (403): ask who runs it'],
    [{ status: 502 }, undefined, 'does not get through to far.example:8443 (502)'],
  ];
  for (const [options, authorization, why] of refusals)
    it(`is refused in words: it ${why}`, async (t) => {
      const proxy = await proxyOf(t, options);
      const refused = connectThrough({ ...proxy, ...(authorization && { authorization }) }, FAR, within());
      await assert.rejects(refused, { message: `the proxy 127.0.0.1:${proxy.port} ${why}` });
    });

  it('says so where no proxy is, or something else', async () => {
    const server = await TestServer.start((socket) => socket.end('220 mail.example ESMTP\r\n'));
    const proxy = { host: '127.0.0.1', port: server.port, isSecure: false };
    const named = `the proxy 127.0.0.1:${server.port}`;
    await assert.rejects(connectThrough(proxy, FAR, within()), { message: `${named} does not answer as an HTTP proxy does` });
    await server.stop();
    await assert.rejects(connectThrough(proxy, FAR, within()), { message: `${named} cannot be reached: nothing listens there` });
  });

  it('leaves nothing behind when the time is over', async (t) => {
    let asked: (socket: Socket) => void;
    const asking = new Promise<Socket>((resolve) => (asked = resolve));
    const server = await TestServer.start((socket) => asked(socket.resume()));
    t.after(() => server.stop());
    const end = new AbortController();
    const dialled = connectThrough({ host: '127.0.0.1', port: server.port, isSecure: false }, FAR, end.signal);
    const closed = once(await asking, 'end');
    end.abort();
    await assert.rejects(dialled, /the proxy .* cannot be reached/);
    await closed;
  });
});
