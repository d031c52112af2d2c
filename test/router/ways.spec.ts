/** Links through what stands between companies and clusters: real proxies that end TLS, and a real one for CONNECT. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lookup } from 'node:dns/promises';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { API_VERSION } from '../../runtime/site/resources.ts';
import { ensureSystemPackages, findCommand } from '../../scripts/system-packages.mjs';
import { TestAuthority, type TestCertificate } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { dial, received, TestServer } from '../support/tcp.ts';
import { until } from '../support/until.ts';
import { type SiteProcess, SiteProcesses } from './site-processes.ts';

/** A name of this machine that is not loopback's: that is never proxied. */
const HERE = hostname();
const SIZE = 8 * 1024 * 1024;
const withPrograms = { skip: await whyNot() };

let sites: SiteProcesses;
let authority: TestAuthority;
let own: TestCertificate;
let echo: TestServer;
let web: Server;
const ended: (() => Promise<unknown>)[] = [];

before(async () => {
  authority = await TestAuthority.make();
  own = await authority.issue([HERE]);
  sites = await SiteProcesses.make();
  echo = await TestServer.start((socket) => socket.pipe(socket));
  web = createServer((request, response) => void response.end(`you asked for ${request.url}`));
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
});
after(async () => {
  await sites.stop();
  await Promise.all(ended.map((end) => end()));
  await echo.stop();
  web.closeAllConnections();
  web.close();
});

describe('a link through a proxy that ends TLS,', withPrograms, () => {
  it('HAProxy, which speaks plain HTTP behind it, and cuts what is silent for 3 s', async () => {
    const tunnelPort = await freePort();
    const port = await startHaproxy(tunnelPort);
    const west = await startBehind('haproxied', { tunnel: `https://${HERE}:${port}/caravan`, tunnelPort: String(tunnelPort) });
    const east = await sites.startEdge('from-haproxy');
    const link = await carries(west, east);
    assert.equal(link.endpoint, `https://${HERE}:${port}/caravan`);
    // A link is never silent for so long.
    const end = Date.now() + 4000;
    const later = await east.status('the link after that', ({ links }) => Date.now() > end && links[0]);
    assert.deepEqual([later.state, later.since], ['up', link.since]);
  });

  it('nginx, which speaks plain HTTP behind it', async () => {
    const tunnelPort = await freePort();
    const port = await startNginx(`http://127.0.0.1:${tunnelPort}`);
    const west = await startBehind('nginxed', { tunnel: `https://${HERE}:${port}/a/b`, tunnelPort: String(tunnelPort) });
    await carries(west, await sites.startEdge('from-nginx'));
  });

  it('nginx, which speaks TLS to the port for links behind it', async () => {
    const accessPort = await freePort();
    const port = await startNginx(`https://127.0.0.1:${accessPort}`);
    const west = await startBehind('nginxed-again', { tunnel: `https://${HERE}:${port}` }, accessPort);
    await carries(west, await sites.startEdge('from-nginx-again'));
  });

  it('HAProxy, and tinyproxy before that', async () => {
    const tunnelPort = await freePort();
    const [port, proxy] = [await startHaproxy(tunnelPort), await startTinyproxy()];
    const west = await startBehind('far', { tunnel: `https://${HERE}:${port}`, tunnelPort: String(tunnelPort) });
    const link = await carries(west, await sites.startWith({ HTTPS_PROXY: `http://me:hidden@127.0.0.1:${proxy}` }, 'from-far'));
    assert.deepEqual([link.endpoint, link.proxy], [`https://${HERE}:${port}`, `127.0.0.1:${proxy}`]);
  });
});

it('a link through tinyproxy, which wants a password', withPrograms, async () => {
  const proxy = await startTinyproxy();
  const west = await startBehind('proxied', { host: HERE });
  const locked = await sites.startWith({ HTTPS_PROXY: `http://127.0.0.1:${proxy}` }, 'locked');
  const { yaml } = await west.api.issueToken({});
  await assert.rejects(locked.api.redeemToken({ yaml }), {
    message: new RegExp(
      `cannot be reached: the proxy 127\\.0\\.0\\.1:${proxy} wants a user and a password: put them into HTTPS_PROXY`,
    ),
  });
  const east = await sites.startWith({ https_proxy: `me:hidden@127.0.0.1:${proxy}` }, 'through-tinyproxy');
  assert.equal((await carries(west, east)).proxy, `127.0.0.1:${proxy}`);
  assert.doesNotMatch(east.log + locked.log, /hidden/);
});

/** A site that tells others to come as these settings of its RouterAccess say. */
async function startBehind(name: string, settings: Record<string, string>, port = 0): Promise<SiteProcess> {
  const [site] = await sites.start(name);
  const tunnelCa = settings['tunnel'] !== undefined && { tunnelCa: authority.certificate };
  // Every address: what HERE stands for may be any.
  const spec = { roles: [{ name: 'inter-router', port }], settings: { ...settings, ...tunnelCa } };
  await site.write('site.yaml', [
    { apiVersion: API_VERSION, kind: 'Site', metadata: { name } },
    { apiVersion: API_VERSION, kind: 'RouterAccess', metadata: { name: 'links' }, spec },
  ]);
  await site.status('its way in', ({ access }) => access.some(({ host }) => host === HERE));
  for (const at of [Number(settings['tunnelPort'] ?? 0), port]) if (at > 0) await until(`port ${at}`, () => isTaken(at));
  return site;
}

/** Links the two, and passes requests, and much both ways at once. Resolves to the link, which was not lost meanwhile. */
async function carries(west: SiteProcess, east: SiteProcess) {
  const name = await sites.link(west, east);
  const up = () => east.status('the link', ({ links }) => links.find(({ id, state }) => id === name && state === 'up'));
  const { since } = await up();
  await west.api.expose({ address: 'echo', port: echo.port });
  await west.api.expose({ address: 'web', port: (web.address() as AddressInfo).port, type: 'http' });
  const [tcp, http] = [await east.listen('echo'), await east.listen('web', 'http')];
  const payload = Buffer.alloc(SIZE, 'caravan');
  const client = dial(tcp);
  const answer = received(client);
  client.end(payload);
  for (let at = 0; at < 20; at++)
    assert.equal(await (await fetch(`http://127.0.0.1:${http}/${at}`)).text(), `you asked for /${at}`);
  assert.ok((await answer).equals(payload));
  const link = await up();
  assert.equal(link.since, since);
  return link;
}

async function whyNot(): Promise<string | undefined> {
  try {
    await ensureSystemPackages({ nginx: 'nginx', haproxy: 'haproxy', tinyproxy: 'tinyproxy' }, console.error);
    await lookup(HERE);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

async function startHaproxy(to: number): Promise<number> {
  const port = await freePort();
  const folder = await folderOf(`haproxy-${port}`);
  await writeFile(join(folder, 'own.pem'), own.certificate + own.key);
  const limits = ['client', 'server', 'connect'].map((each) => `  timeout ${each} 3s\n`).join('');
  const frontend = `frontend it\n  bind :::${port} v4v6 ssl crt ${folder}/own.pem alpn h2,http/1.1\n  default_backend site\n`;
  await writeFile(
    join(folder, 'conf'),
    `defaults\n  mode http\n${limits}${frontend}backend site\n  server site 127.0.0.1:${to}\n`,
  );
  return startProgram('haproxy', ['-db', '-f', join(folder, 'conf')], port);
}

async function startNginx(to: string): Promise<number> {
  const port = await freePort();
  const folder = await folderOf(`nginx-${port}`);
  await writeFile(join(folder, 'own.crt'), own.certificate);
  await writeFile(join(folder, 'own.key'), own.key);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((each) => `${each}_temp_path ${folder}/${each};`)
    .join(' ');
  const onward = `proxy_pass ${to}; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; proxy_ssl_protocols TLSv1.3;`;
  const server = `listen ${port} ssl; listen [::]:${port} ssl; ssl_certificate ${folder}/own.crt; ssl_certificate_key ${folder}/own.key; location / { ${onward} }`;
  const text = `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log; events {} http { access_log off; ${paths} server { ${server} } }`;
  await writeFile(join(folder, 'conf'), text);
  return startProgram('nginx', ['-c', join(folder, 'conf'), '-e', join(folder, 'error.log')], port);
}

async function startTinyproxy(): Promise<number> {
  const port = await freePort();
  const folder = await folderOf(`tinyproxy-${port}`);
  await writeFile(
    join(folder, 'conf'),
    `Port ${port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\nAllow 127.0.0.1\nBasicAuth me hidden\n`,
  );
  return startProgram('tinyproxy', ['-d', '-c', join(folder, 'conf')], port);
}

async function folderOf(name: string): Promise<string> {
  const folder = join(sites.folder, name);
  await mkdir(folder);
  return folder;
}

/** A program that serves in the foreground until the tests end; resolves once it takes connections. */
async function startProgram(program: string, args: string[], port: number): Promise<number> {
  const child = spawn(findCommand(program)!, args, { stdio: 'ignore' });
  ended.push(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  await until(`${program} to listen`, () => isTaken(port));
  return port;
}

/** Whether somebody takes connections there. */
async function isTaken(port: number): Promise<boolean> {
  const socket = dial(port);
  const [event] = await Promise.race([once(socket, 'connect').then(() => ['up']), once(socket, 'close').then(() => ['down'])]);
  socket.destroy();
  return event === 'up';
}
