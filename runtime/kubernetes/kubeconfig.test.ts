import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { ExecPlugin } from './exec-plugin.ts';
import { configFor, kubeconfigPaths, readKubeconfig } from './kubeconfig.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'caravan-kubeconfig-'));
});
after(() => rm(folder, { recursive: true, force: true }));

async function write(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const config = (name: string, user = `{token: t-${name}}`, current = '') => `
apiVersion: v1
kind: Config
${current}
clusters: [{name: ${name}, cluster: {server: "https://${name}.example:6443/", certificate-authority: ca.crt}}]
users: [{name: ada, user: ${user}}]
contexts: [{name: ${name}, context: {cluster: ${name}, user: ada, namespace: shop}}, {name: both, context: {cluster: ${name}, user: ada}}]
`;

test('a list of files is merged: the first to name something wins, a broken file is one sentence', async () => {
  const west = await write('west', config('west', undefined, 'current-context: west'));
  const east = await write('east', config('east'));
  const broken = await write('broken', 'apiVersion: v1\nclusters: [');
  const state = await readKubeconfig([west, broken, join(folder, 'missing'), east].join(delimiter));
  assert.deepEqual(
    state.contexts.map(({ name, cluster, namespace, current }) => [name, cluster, namespace, current]),
    [
      ['west', 'west', 'shop', true],
      ['both', 'west', 'default', false],
      ['east', 'east', 'shop', false],
    ],
  );
  assert.equal(state.contexts[0]?.server, 'https://west.example:6443');
  assert.deepEqual(
    state.files.map(({ problem }) => problem === undefined),
    [true, false, false, true],
  );
  assert.match(state.files[1]!.problem!, /^The kubeconfig .*broken is broken at line \d+: .*\.$/);
  assert.match(state.files[2]!.problem!, /^There is no kubeconfig .*missing\.$/);
});

test('what is no kubeconfig is said to be none', async () => {
  const cases: [string, RegExp][] = [
    ['', /is empty\.$/],
    ['just text', /is no kubeconfig\.$/],
    ['[1]', /is no kubeconfig\.$/],
    ['clusters: [{name: x}]', /is broken: clusters\[0\]\.cluster is missing\.$/],
  ];
  for (const [text, expected] of cases) {
    const state = await readKubeconfig(await write('odd', text));
    assert.match(state.files[0]?.problem ?? '', expected);
    assert.deepEqual(state.contexts, []);
  }
  assert.match((await readKubeconfig(folder)).files[0]!.problem!, /cannot be read: it is a folder\.$/);
});

test('configFor names what is missing', async () => {
  const west = await write('west', config('west'));
  await assert.rejects(configFor({ kubeconfig: west, context: 'north' }), {
    code: 'not-found',
    message: 'The kubeconfig has no context north; it has west, both.',
  });
  const lacking = await write(
    'lacking',
    'contexts: [{name: a, context: {cluster: c, user: u}}, {name: b, context: {cluster: d}}]\nclusters: [{name: d, cluster: {server: "https://d"}}]',
  );
  await assert.rejects(configFor({ kubeconfig: lacking, context: 'a' }), /names the cluster c, which the kubeconfig lacks/);
  await assert.rejects(configFor({ kubeconfig: join(folder, 'missing'), context: 'a' }), /There is no kubeconfig/);
  assert.equal((await configFor({ kubeconfig: lacking, context: 'b' })).getCurrentUser()?.name, 'anonymous');
});

test('a token comes from a file beside the kubeconfig', async () => {
  await write('ca.crt', 'CA');
  await write('token', 'from-file');
  const path = await write('tokens', config('west', '{tokenFile: token}'));
  const options: RequestOptions = {};
  await (await configFor({ kubeconfig: path, context: 'west' })).applyToHTTPSOptions(options);
  assert.equal((options.headers as Record<string, string>)['Authorization'], 'Bearer from-file');
  assert.equal(String(options.ca), 'CA');
});

async function withPlugin(script: string, more = ''): Promise<string> {
  await write('ca.crt', 'CA');
  const command = await write('sign-in', `#!${process.execPath}\n${script}`);
  await chmod(command, 0o755);
  return write(
    'exec',
    config('west', `{exec: {apiVersion: client.authentication.k8s.io/v1, command: ./sign-in, args: [a]${more}}}`),
  );
}
async function authorization(path: string): Promise<unknown> {
  const options: RequestOptions = {};
  await (await configFor({ kubeconfig: path, context: 'west' })).applyToHTTPSOptions(options);
  return (options.headers as Record<string, string>)['Authorization'];
}

test('a sign-in program is run beside its kubeconfig and told what it needs', async () => {
  const script = `const info = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
    console.log(JSON.stringify({status: {token: [info.kind, info.spec.interactive, process.argv[2]].join()}}))`;
  assert.equal(await authorization(await withPlugin(script)), 'Bearer ExecCredential,false,a');
});

test('a sign-in program that fails, says nothing or is missing is one sentence', async () => {
  await assert.rejects(
    authorization(await withPlugin('console.error("first\\nexpired session"); process.exit(3)')),
    /sign-in, .*failed: expired session\.$/,
  );
  await assert.rejects(authorization(await withPlugin('console.log("{}")')), /gave no credential\.$/);
  await assert.rejects(authorization(await withPlugin('', ', interactiveMode: Always')), /signs in only in a terminal/);
  const missing = await write('no-plugin', config('west', '{exec: {command: caravan-no-such-plugin}}'));
  await assert.rejects(authorization(missing), {
    code: 'unauthorized',
    message: 'caravan-no-such-plugin, which the kubeconfig uses to sign in, is not found. Install it, or add its folder to PATH.',
  });
});

test('a sign-in program that hangs is ended', async () => {
  const plugin = new ExecPlugin(200);
  const user = {
    name: 'ada',
    authProvider: { config: { command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'] } },
  };
  await assert.rejects(plugin.applyAuthentication(user, {}), /did not answer within 0\.2 s\.$/);
});

test('a credential is used again until it ends', async () => {
  const soon = new Date(Date.now() + 3_600_000).toISOString();
  const args = ['-e', `console.log(JSON.stringify({status: {token: String(process.pid), expirationTimestamp: '${soon}'}}))`];
  const user = { name: 'ada', authProvider: { config: { command: process.execPath, args } } };
  const plugin = new ExecPlugin();
  const [first, second]: RequestOptions[] = [{}, {}];
  await Promise.all([plugin.applyAuthentication(user, first!), plugin.applyAuthentication(user, second!)]);
  assert.deepEqual(first, second);
});

test('paths come from the setting, KUBECONFIG, or the home folder', () => {
  const env = { KUBECONFIG: ['/a', '', '/b'].join(delimiter) };
  assert.deepEqual(kubeconfigPaths(undefined, env), ['/a', '/b']);
  assert.deepEqual(kubeconfigPaths('/c', env), ['/c']);
  assert.deepEqual(kubeconfigPaths(['/c', '/d', '/c'].join(delimiter), env), ['/c', '/d'], 'a file is read once');
  assert.match(kubeconfigPaths(undefined, {})[0]!, /[/\\]\.kube[/\\]config$/);
  assert.doesNotMatch(kubeconfigPaths('~/x', {})[0]!, /~/);
});
