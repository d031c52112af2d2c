import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { FakeSite } from '../../test/support/fake-site.ts';
import { ApiServer } from '../api/server.ts';
import { socketPath } from '../api/sockets.ts';
import { CaravanError } from '../errors.ts';
import { VERSION } from '../version.ts';
import { runCli } from './cli.ts';
import { COMMANDS } from './commands.ts';

let directory: string;
let site: FakeSite;
let servers: ApiServer[];
let environment: NodeJS.ProcessEnv;

beforeEach(async () => {
  environment = { ...process.env };
  delete process.env['CARAVAN_SOCKET'];
  directory = await mkdtemp(join(tmpdir(), 'cli-'));
  process.env['CARAVAN_RUNTIME_DIR'] = directory;
  servers = [];
  site = await start('laptop');
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  process.env = environment;
  await rm(directory, { recursive: true });
});

async function start(name: string): Promise<FakeSite> {
  const fake = new FakeSite(name);
  const server = new ApiServer({ stop: () => void server.close() });
  server.attach(fake);
  await server.listenOnSocket(socketPath(name));
  servers.push(server);
  return fake;
}

async function caravan(line: string, input = ''): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await runCli(line.split(' ').filter(Boolean), {
    out: (text) => (out += text),
    err: (text) => (err += text),
    input: async () => input,
    now: () => new Date('2026-01-01T12:00:00.000Z'),
  });
  return { code, out, err };
}

describe('what people see', () => {
  test('services', async () => {
    const { code, out } = await caravan('services');
    assert.equal(code, 0);
    assert.equal(
      out,
      [
        'ADDRESS  TYPE  PORT  DISTRIBUTION  OFFERED BY        HERE',
        'backend  http  8080  balanced      west ×3, east ×2  127.0.0.1:8080',
        'search   tcp   9200  closest       nobody',
        '',
      ].join('\n'),
    );
  });

  test('links, with the reason why one is not up', async () => {
    const { out } = await caravan('links');
    assert.equal(
      out,
      [
        'LINK  PEER  COST  STATE       DIRECTION  ROUND TRIP  SINCE',
        'west  west  1     up          outgoing   0.4 ms      3 minutes ago',
        'east        5     connecting  outgoing               3 minutes ago',
        '! east: east.example:8443 refuses the connection.',
        '',
      ].join('\n'),
    );
  });

  test('links, with the proxy that one goes through', async () => {
    const [link] = site.state.links;
    site.change({ links: [{ ...link!, proxy: 'proxy.example:3128' }] });
    assert.match((await caravan('links')).out, /\nwest goes through the proxy proxy\.example:3128\n$/);
  });

  test('links, with those whose certificate was not renewed in time', async () => {
    const [link] = site.state.links;
    const ending = (id: string, certificateEnds: string, more = {}) => ({ ...link!, id, certificateEnds, ...more });
    site.change({
      links: [
        ending('west', '2026-02-28T00:00:00.000Z'),
        ending('north', '2026-01-20T00:00:00.000Z'),
        ending('from-east', '2026-01-04T00:00:00.000Z', { direction: 'incoming', peer: 'east' }),
        ending('south', '2025-12-04T00:00:00.000Z', { state: 'connecting', message: 'It has ended.' }),
      ],
    });
    const { out } = await caravan('links');
    assert.deepEqual(out.split('\n').slice(5), [
      '! north: its certificate ends in 18 days, and could not be renewed; see why: caravan status',
      '! from-east: its certificate ends in 2 days, and east has not renewed it; see there: caravan status',
      '! south: It has ended.',
      '',
    ]);
    const [first] = JSON.parse((await caravan('links -o json')).out) as { certificateEnds: string }[];
    assert.equal(first?.certificateEnds, '2026-02-28T00:00:00.000Z');
  });

  test('status, with what cannot be had', async () => {
    site.change({ problems: [{ where: 'links.yaml:3', message: 'Link west: spec.cost is 0; it must be a whole number.' }] });
    const { out } = await caravan('status');
    assert.match(
      out,
      /^laptop has run for 3 minutes \(version 0\.1\.0\): 2 sites, 1 of 2 links up, 2 services\.\n! links\.yaml:3: Link west/,
    );
    assert.match(out, /west {15}reachable {2}0\.1\.0 {4}kubernetes, namespace shop/);
    assert.match(out, /\nLINK .*\n.*\nADDRESS/s);
  });

  test('what another site calls itself does not act in the terminal', async () => {
    const [own, west] = site.state.sites;
    const name = 'we\u001b[2Jst\n\u009b31m';
    const message = `it\u001b[2J says no`;
    const [link] = site.state.links;
    site.change({ sites: [own!, { ...west!, name }], links: [{ ...link!, peer: name, state: 'failed', message }] });
    for (const line of ['status', 'links']) {
      const { out } = await caravan(line);
      assert.match(out, /we\\u001b\[2Jst\\n\\u009b31m  /, line);
      assert.match(out, /! west: it\\u001b\[2J says no/, line);
      assert.doesNotMatch(out.replaceAll('\n', ''), /\p{Cc}/u, line);
    }
    site.failure = new CaravanError('conflict', 'no\u001b[2J');
    assert.equal((await caravan('expose a --port 1')).err, 'caravan: no\\u001b[2J\n');
    assert.deepEqual(JSON.parse((await caravan('status -o json')).out), site.state);
  });

  test('who stands in for a service', async () => {
    const [service] = site.state.services;
    const by = { site: 'ada', siteId: 'a', target: '127.0.0.1:3000' };
    const intercepts = [
      { ...by, how: 'take-over' as const },
      { ...by, how: 'take-some' as const, header: 'baggage: caravan=ada' },
    ];
    site.change({ services: [{ ...service!, address: 'cart', intercepts }] });
    const { out } = await caravan('services');
    assert.match(out, /\n◐ cart: ada takes over\n◐ cart: ada takes some \(baggage: caravan=ada\)\n$/);
  });

  test('an explanation', async () => {
    const { out } = await caravan('explain orders');
    assert.equal(out, 'orders is offered by west.\n✓  1  west offers it  tcp, port 5432\n');
  });

  test('an empty network says what to do next', async () => {
    site.change({ services: [], links: [] });
    assert.match((await caravan('services')).out, /No service is offered .* caravan expose/);
    assert.match((await caravan('links')).out, /no links yet.* caravan token redeem FILE/);
  });
});

describe('what programs see', () => {
  test("-o json of status, services, links and explain is the API's", async () => {
    assert.deepEqual(JSON.parse((await caravan('status -o json')).out), site.state);
    assert.deepEqual(JSON.parse((await caravan('services --output json')).out), site.state.services);
    assert.deepEqual(JSON.parse((await caravan('links -o json')).out), site.state.links);
    assert.equal(JSON.parse((await caravan('explain orders -o json')).out).address, 'orders');
  });

  test('-o json of what makes something tells its name', async () => {
    assert.deepEqual(JSON.parse((await caravan('expose orders --port 5432 -o json')).out), { kind: 'Connector', name: 'orders' });
    assert.deepEqual(JSON.parse((await caravan('listen backend --port 8080 -o json')).out), {
      kind: 'Listener',
      name: 'backend',
      host: '127.0.0.1',
      port: 8080,
    });
    await writeFile(join(directory, 't.yaml'), 'kind: AccessToken\n');
    assert.deepEqual(JSON.parse((await caravan(`token redeem ${directory}/t.yaml -o json`)).out), { link: 'west', peer: 'west' });
  });
});

describe('a change', () => {
  test('expose', async () => {
    const { code, out } = await caravan('expose orders --port 5432 --host db.local --type tcp --distribution closest');
    assert.equal(code, 0);
    assert.equal(out, 'orders is exposed: it leads to db.local:5432 (connector orders).\n');
    const argument = { address: 'orders', port: 5432, host: 'db.local', type: 'tcp', distribution: 'closest' };
    assert.deepEqual(site.calls, [{ name: 'expose', argument }]);
  });

  test('intercept', async () => {
    const { out } = await caravan('intercept backend --port 3000 --header baggage=caravan=ada --service-port 80');
    assert.equal(
      out,
      '127.0.0.1:3000 takes some of backend: requests with baggage: caravan=ada (connector intercept-backend).\n',
    );
    const all = await caravan('intercept backend --port 3000 --take-over --host ::1');
    assert.equal(all.out, '[::1]:3000 takes over backend (connector intercept-backend).\n');
    await caravan('intercept backend --port 3000 --listen-in');
    assert.deepEqual(
      site.calls.map(({ argument }) => argument),
      [
        { address: 'backend', port: 3000, how: 'take-some', header: 'baggage: caravan=ada', servicePort: 80 },
        { address: 'backend', port: 3000, how: 'take-over', host: '::1' },
        { address: 'backend', port: 3000, how: 'listen-in' },
      ],
    );
    const both = await caravan('intercept backend --port 3000 --take-over --listen-in');
    assert.match(both.err, /^caravan: --take-over takes all: leave --header and --listen-in out\./);
  });

  test('listen tells the port that the system chose', async () => {
    const { out } = await caravan('listen backend --port 0');
    assert.equal(out, 'backend is at 127.0.0.1:8080 (listener backend).\n');
    assert.deepEqual(site.calls, [{ name: 'listen', argument: { address: 'backend', port: 0 } }]);
  });

  test('expose takes certain requests, its share of them, and tells who connects', async () => {
    await caravan('expose a --port 1 --type http --header baggage:caravan=ada --path-prefix /v2 --weight 3');
    const sharing = { header: 'baggage:caravan=ada', pathPrefix: '/v2', weight: 3 };
    assert.deepEqual(site.calls.at(-1)!.argument, { address: 'a', port: 1, type: 'http', ...sharing });
    await caravan('expose a --port 1 --proxy-protocol v2');
    assert.deepEqual(site.calls.at(-1)!.argument, { address: 'a', port: 1, proxyProtocol: 'v2' });
  });

  test('listen chooses servers, ends what is idle and says what clients may speak', async () => {
    await caravan('listen a --port 0 --distribution closest --idle-timeout 5m');
    const argument = { address: 'a', port: 0, distribution: 'closest', idleTimeout: '5m' };
    assert.deepEqual(site.calls.at(-1)!.argument, argument);
    await caravan('listen a --port 0 --alpn http/1.1');
    assert.deepEqual(site.calls.at(-1)!.argument, { address: 'a', port: 0, alpn: 'http/1.1' });
  });

  test('listen with TLS reads its files, whatever stands before their PEM', async () => {
    const [certificate, key] = [join(directory, 'tls.crt'), join(directory, 'tls.key')];
    await writeFile(certificate, 'subject=a\n-----BEGIN CERTIFICATE-----\n');
    await writeFile(key, '-----BEGIN PRIVATE KEY-----\n');
    await caravan(`listen backend --port 0 --tls-cert ${certificate} --tls-key ${key}`);
    const tls = { certificate: '-----BEGIN CERTIFICATE-----\n', key: '-----BEGIN PRIVATE KEY-----\n' };
    assert.deepEqual(site.calls, [{ name: 'listen', argument: { address: 'backend', port: 0, tls } }]);
  });

  test('listen with half of a pair, or with files that hold none, says so and nothing of what they hold', async () => {
    const file = join(directory, 'wrong');
    await writeFile(file, 'MIIEvQIBADANBg');
    const half = await caravan(`listen backend --port 0 --tls-key ${file}`);
    assert.deepEqual([half.code, half.err.split('\n')[0]], [2, 'caravan: --tls-cert is missing. See: caravan listen --help']);
    const none = await caravan(`listen backend --port 0 --tls-key ${file} --tls-cert ${file}`);
    assert.ok(none.err.startsWith(`caravan: --tls-cert: ${file} holds no PEM; it would begin with "-----BEGIN".`), none.err);
    assert.doesNotMatch(none.err, /MIIE/);
    const gone = await caravan(`listen backend --port 0 --tls-key ${file} --tls-cert ${file}.gone`);
    assert.ok(gone.err.startsWith(`caravan: --tls-cert: ${file}.gone cannot be read (ENOENT).`), gone.err);
    assert.deepEqual(site.calls, []);
  });

  test('expose with TLS', async () => {
    const file = join(directory, 'ca.crt');
    await writeFile(file, '-----BEGIN CERTIFICATE-----\n');
    await caravan(`expose a --port 1 --tls-ca ${file} --tls-name db`);
    await caravan('expose a --port 1 --tls');
    await caravan('expose a --port 1 --tls-insecure');
    assert.deepEqual(
      site.calls.map(({ argument }) => (argument as { tls: unknown }).tls),
      [{ authority: '-----BEGIN CERTIFICATE-----\n', serverName: 'db' }, {}, { insecure: true }],
    );
    const key = join(directory, 'tls.key');
    await writeFile(key, 'Bag Attributes\n-----BEGIN PRIVATE KEY-----\n');
    await caravan(`expose a --port 1 --tls-cert ${file} --tls-key ${key}`);
    const client = { certificate: '-----BEGIN CERTIFICATE-----\n', key: '-----BEGIN PRIVATE KEY-----\n' };
    assert.deepEqual(site.calls.at(-1)!.argument, { address: 'a', port: 1, tls: { client } });
    const half = await caravan(`expose a --port 1 --tls --tls-cert ${file}`);
    assert.deepEqual([half.code, half.err.split('\n')[0]], [2, 'caravan: --tls-key is missing. See: caravan expose --help']);
    await caravan('expose a --port 1 --listener-tls a-tls');
    assert.deepEqual(site.calls.at(-1)!.argument, { address: 'a', port: 1, listenerCredentials: 'a-tls' });
    const both = await caravan(`expose a --port 1 --tls-insecure --tls-ca ${file}`);
    assert.match(both.err, /^caravan: --tls-insecure and --tls-ca exclude each other/);
  });

  test('listen at a port in use fails and leaves nothing behind', async () => {
    const [listener] = site.state.listeners;
    const message = 'Port 8080 of 127.0.0.1 is in use: choose another with --port.';
    site.change({ listeners: [{ ...listener!, state: 'failed', message }] });
    const { code, err } = await caravan('listen backend --port 8080');
    assert.equal(code, 1);
    assert.equal(err, `caravan: ${message}\n`);
    assert.deepEqual(site.calls.at(-1), { name: 'remove', argument: { kind: 'Listener', name: 'backend' } });
  });

  test('token issue prints the token, or writes it for this user alone', async () => {
    assert.equal((await caravan('token issue')).out, 'kind: AccessToken\n');
    const file = join(directory, 'west.yaml');
    const { out } = await caravan(`token issue --expires 1h --uses 2 -o ${file}`);
    assert.match(out, /west\.yaml lets in 1 site within \d+ days\. There: caravan token redeem FILE\n$/);
    assert.equal(await readFile(file, 'utf8'), 'kind: AccessToken\n');
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.deepEqual(site.calls.at(-1), { name: 'issueToken', argument: { expires: '1h', uses: 2 } });
  });

  test('token redeem reads a file or standard input and tells whether the link is up', async () => {
    const { out } = await caravan('token redeem - --cost 3 --context kind-west --namespace shop', 'kind: AccessToken\n');
    assert.equal(out, 'Linked with west: the link west is up.\n');
    const argument = { yaml: 'kind: AccessToken\n', cost: 3, portForward: { context: 'kind-west', namespace: 'shop' } };
    assert.deepEqual(site.calls, [{ name: 'redeemToken', argument }]);
  });

  test('proxy tells where it is and how to use it', async () => {
    const { code, out } = await caravan('proxy --port 1080');
    assert.equal(code, 0);
    assert.equal(
      out,
      [
        'The proxy is at 127.0.0.1:1080. In a shell that is to use it:',
        '',
        "export http_proxy='http://127.0.0.1:1080'",
        "export https_proxy='http://127.0.0.1:1080'",
        "export all_proxy='socks5h://127.0.0.1:1080'",
        "export no_proxy='localhost,127.0.0.1,::1'",
        '',
      ].join('\n'),
    );
    assert.equal((await caravan('proxy -o json')).out, '{"host":"127.0.0.1","port":40123}\n');
    assert.equal((await caravan('proxy --stop')).out, 'The proxy is closed.\n');
    const asked = site.calls.map(({ name, argument }) => [name, argument]);
    assert.deepEqual(asked, [['openProxy', { port: 1080 }], ['openProxy', { port: undefined }], ['closeProxy', undefined]]); // prettier-ignore
  });

  test('env tells where services are on this computer', async () => {
    const exports = "export BACKEND_SERVICE_HOST='127.0.0.1'\nexport BACKEND_SERVICE_PORT='8080'\n";
    assert.equal((await caravan('env')).out, exports);
    assert.equal((await caravan('env --shell dotenv')).out, 'BACKEND_SERVICE_HOST=127.0.0.1\nBACKEND_SERVICE_PORT=8080\n');
    const none = { code: 1, out: '', err: 'caravan: No proxy is open at this site: open one with "caravan proxy".\n' };
    assert.deepEqual(await caravan('env --proxy'), none);
    site.change({ proxy: { host: '127.0.0.1', port: 1080 } });
    const { out } = await caravan('env --proxy');
    assert.ok(out.startsWith(exports));
    assert.match(out, /^export all_proxy='socks5h:\/\/127\.0\.0\.1:1080'$/m);
  });

  test('remove and revoke', async () => {
    assert.equal((await caravan('remove connector orders')).out, 'The connector orders is removed.\n');
    assert.equal((await caravan('revoke east')).out, 'east is let in no more: 2 certificates revoked.\n');
  });

  test('stop waits until the site is gone', async () => {
    assert.equal((await caravan('stop')).out, 'laptop has stopped.\n');
    assert.match((await caravan('status')).err, /^caravan: No site runs here/);
  });
});

describe('which site is asked', () => {
  test('the only one, or the one that --socket or CARAVAN_SOCKET names', async () => {
    await start('west');
    const { code, err } = await caravan('services');
    assert.equal(code, 1);
    assert.equal(err, 'caravan: 2 sites run here, laptop and west: choose one, such as --socket laptop\n');
    assert.match((await caravan('status --socket west')).out, /^west has run/);
    assert.match((await caravan(`status --socket ${directory}/laptop.sock`)).out, /^laptop has run/);
    process.env['CARAVAN_SOCKET'] = 'west';
    assert.match((await caravan('status')).out, /^west has run/);
  });

  test('none at that place', async () => {
    const { code, err } = await caravan('status --socket nowhere');
    assert.equal(code, 1);
    assert.match(err, /^caravan: No site runs at .*nowhere\.sock: start one with "caravan run"\.\n$/);
  });
});

describe('a failure is one line and exit code 1', () => {
  const failures: [string, CaravanError, string][] = [
    ['token redeem -', new CaravanError('token-expired', 'The token expired 3 minutes ago.'), 'The token expired 3 minutes ago.'],
    ['token redeem -', new CaravanError('token-used-up', 'The token was used up.'), 'The token was used up.'],
    ['token redeem -', new CaravanError('token-invalid', 'This is no token:\n  line 1'), 'This is no token: line 1'],
    ['expose a --port 1', new CaravanError('conflict', 'a is exposed already.'), 'a is exposed already.'],
  ];
  for (const [line, failure, message] of failures)
    test(`${line}: ${failure.code}`, async () => {
      site.failure = failure;
      assert.deepEqual(await caravan(line, 'x'), { code: 1, out: '', err: `caravan: ${message}\n` });
    });

  test('a token file that is not there, or is none', async () => {
    const missing = await caravan('token redeem /nowhere/west.yaml');
    assert.deepEqual(missing, {
      code: 1,
      out: '',
      err: 'caravan: /nowhere/west.yaml is not there: give the file with the token.\n',
    });
    assert.match((await caravan(`token redeem ${directory}`)).err, /cannot be read \(EISDIR\)/);
    assert.match((await caravan('token issue -o /nowhere/west.yaml')).err, /cannot be written to \/nowhere\/west\.yaml: ENOENT/);
  });
});

describe('wrong usage is one line and exit code 2', () => {
  const wrong: [string, RegExp][] = [
    ['fly', /There is no command "fly"\. See: caravan --help/],
    ['token isue', /There is no command "token isue"/],
    ['explain', /ADDRESS is missing\. See: caravan explain --help/],
    ['status now', /"now" is not expected here/],
    ['status --fast', /Unknown option '--fast'\. See/],
    ['services -o xml', /-o xml is not known: use json or text/],
    ['expose orders', /--port is missing/],
    ['expose orders --port http', /--port is "http": it takes a whole number from 1 to 65535/],
    ['expose orders --port 80 --weight 0', /--weight is "0": it takes a whole number from 1 to 1000000\./],
    ['expose orders --port 80 --proxy-protocol v1', /--proxy-protocol is "v1": it takes one of v2\./],
    ['listen orders --port 80 --distribution multicast', /--distribution is "multicast": it takes one of balanced, closest\./],
    ['expose orders --port 80 --type ftp', /--type is "ftp": it takes one of tcp, http, http2, udp, amqp\./],
    ['listen orders --port 70000', /from 0 to 65535/],
    ['token issue --expires soon', /--expires is "soon": it takes a duration/],
    ['token redeem x --cost 0', /--cost is "0"/],
    ['token redeem x --context a', /--context and --namespace go together/],
    ['join', /either --context and --namespace, or --token/],
    ['join --token x --context a', /either --context and --namespace, or --token/],
    ['join --context a', /--context and --namespace go together/],
    ['leave now', /"now" is not expected here/],
    ['proxy --port http', /--port is "http"/],
    ['proxy --stop --port 1', /--stop takes no --port/],
    ['env --shell tcsh', /--shell is "tcsh": it takes one of sh, fish, powershell, dotenv\./],
    ['remove site west', /"site" cannot be removed/],
    ['run --kubernetes --data x', /leave out the other options/],
  ];
  for (const [line, message] of wrong)
    test(line, async () => {
      const { code, out, err } = await caravan(line);
      assert.deepEqual([code, out], [2, '']);
      assert.match(err, message);
      assert.match(err, /^caravan: [^\n]*\n$/);
    });

  test('nothing at all shows the overview', async () => {
    const { code, err } = await caravan('');
    assert.equal(code, 2);
    assert.match(err, /^Usage: caravan COMMAND/);
  });
});

describe('help', () => {
  test('every command has its own, short', async () => {
    for (const { words } of COMMANDS) {
      const { code, out } = await caravan(`${words} --help`);
      assert.equal(code, 0, words);
      assert.ok(out.startsWith(`Usage: caravan ${words}`), words);
      assert.ok(out.split('\n').length < 25, words);
      for (const line of out.split('\n')) assert.ok(line.length <= 140, line);
    }
  });

  test('the overview names every command that is for people', async () => {
    const { out } = await caravan('--help');
    for (const { words, hidden } of COMMANDS) assert.equal(out.includes(`\n  ${words.padEnd(14)}`), !hidden, words);
  });

  test('--version', async () => {
    assert.deepEqual(await caravan('--version'), { code: 0, out: `caravan ${VERSION}\n`, err: '' });
  });
});
