/** What a person sees when something is wrong: one sentence where they look, and everything else goes on. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ApiClient } from '../../runtime/api/client.ts';
import { until } from '../support/until.ts';
import { useWorkbench } from './use-workbench.ts';
import { whyVSCodeCannotRun } from './why-vscode-cannot-run.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/caravan.cjs', import.meta.url));

describe('what is wrong', { skip: whyVSCodeCannotRun() }, () => {
  // KUBECONFIG is not set: many people who try the demo have no cluster.
  const workbench = useWorkbench({ env: { CARAVAN_DEMO: '1' } });
  const sites = () => workbench.sidebar.view('Sites');
  const services = () => workbench.sidebar.view('Services');
  const kubeconfigPath = () => join(workbench.folder, 'kube.yaml');
  const problems = async () => (await sites().rows()).filter(({ icon }) => icon === 'warning').map(({ text }) => text);

  it('is nothing, where there is a demo network and no kubeconfig', async () => {
    await workbench.sidebar.open();
    for (const name of ['cloud', 'onprem', 'laptop'])
      await sites()
        .item('demo', name)
        .waitForText(/ready · \d links?/);
    await theDemoWorks();
    assert.deepEqual(await problems(), []);
    assert.equal(await sites().message(), '');
    await workbench.screenshot('newcomer');
  });

  it('with a kubeconfig that is named and missing, is told in one row', async () => {
    await mkdir(join(workbench.folder, '.vscode'));
    await writeFile(
      join(workbench.folder, '.vscode', 'settings.json'),
      JSON.stringify({ 'caravan.kubeconfig': kubeconfigPath() }),
    );
    const row = sites().item('folder/kube.yaml');
    await row.waitForText(/ is not there$/);
    assert.equal(await row.tooltip(), `There is no kubeconfig ${kubeconfigPath()}.`);
    assert.equal((await problems()).length, 1);
    await workbench.screenshot('missing-kubeconfig');
    await theDemoWorks();
  });

  it('with a cluster that refuses connections, is told at its context', async () => {
    await writeFile(kubeconfigPath(), kubeconfig(['closed', await closedPort()], ['other', await closedPort()]));
    await sites()
      .item('closed')
      .waitForText(/^closed cannot be reached$/);
    await sites()
      .item('closed', /127\.0\.0\.1/)
      .waitForText(/it refuses connections\. Is the cluster running\?$/);
    await sites()
      .item('other')
      .waitForText(/^other cannot be reached$/);
    await sites().item('folder/kube.yaml').waitUntilGone();
    await workbench.screenshot('closed-cluster');
    await theDemoWorks();
  });

  it('with a kubeconfig that is no YAML, is told in one row, and its contexts stay', async () => {
    const broken = `${kubeconfig(['closed', 1])}users: [\n`;
    await writeFile(kubeconfigPath(), broken);
    const row = sites().item('folder/kube.yaml');
    await row.waitForText(/ is broken at line \d+: .*\.$/);
    for (const context of ['closed', 'other'])
      await sites()
        .item(context)
        .waitForText(/cannot be reached/);
    assert.equal((await problems()).filter((text) => text.includes('kube.yaml')).length, 1);
    await workbench.screenshot('broken-kubeconfig');
    await theDemoWorks();
  });

  it('is told no longer once it is mended', async () => {
    await writeFile(kubeconfigPath(), kubeconfig(['other', await closedPort()]));
    await sites().item('folder/kube.yaml').waitUntilGone();
    await sites().item('closed').waitUntilGone();
    await sites()
      .item('other')
      .waitForText(/cannot be reached/);
  });

  it('with a port in use, is told at the port, and mends itself when the port is free', async () => {
    const other = await listening();
    const laptop = ApiClient.overSocket(join(workbench.runtimeDirectory, 'demo-laptop.sock'));
    const port = portOf(other);
    const made = await laptop.listen({ address: 'backend', port });
    const row = sites().item('demo', 'laptop', 'takes', new RegExp(`^backend .*\\b${port}\\b`));
    try {
      await row.waitForText(
        new RegExp(`port ${port} on 127\\.0\\.0\\.1 is in use by another program; end it, or choose another port`),
      );
      await workbench.statusBar(/1 problem/);
      await workbench.screenshot('port-in-use');
      await theDemoWorks();
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
    await row.waitForText(new RegExp(`^backend tcp\\s+127\\.0\\.0\\.1:${port}$`));
    assert.match(await (await fetch(`http://127.0.0.1:${port}/orders`)).text(), /espresso/);
    await laptop.remove(made);
    await row.waitUntilGone();
  });

  it('with a resource that is malformed, is told at its site', async () => {
    const folder = join(workbench.folder, 'host');
    await mkdir(join(folder, 'config'), { recursive: true });
    const file = join(folder, 'config', 'site.yaml');
    await writeFile(file, resources('8080'));
    const host = run(['run', '--config', join(folder, 'config'), '--data', join(folder, 'data'), '--name', 'host'], {
      CARAVAN_RUNTIME_DIR: workbench.runtimeDirectory,
    });
    try {
      await sites()
        .item('host')
        .waitForText(/^host ready · no links/);
      await writeFile(file, resources('a lot'));
      await sites()
        .item('host', /site\.yaml/)
        .waitForText(/site\.yaml:8: Listener nobody: spec\.port is "a lot"; it must be a whole number from 0 to 65535\.$/);
      await workbench.screenshot('malformed-resource');
      await theDemoWorks();
      await writeFile(file, resources('8080'));
      await sites()
        .item('host', /site\.yaml/)
        .waitUntilGone();
    } finally {
      host.kill();
    }
    await sites().item('host').waitUntilGone();
  });

  /** Also while something else is wrong. */
  async function theDemoWorks(): Promise<void> {
    await services()
      .item('backend')
      .waitForText(/^backend tcp\s+\d+\s+cloud\s+→ localhost:\d+$/);
    const [, port] = /localhost:(\d+)/.exec(await services().item('backend').text()) ?? [];
    const answer = await fetch(`http://127.0.0.1:${port}/orders`);
    assert.match(await answer.text(), /espresso/);
  }
});

describe('a folder that is not trusted', { skip: whyVSCodeCannotRun() }, () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cv-kube-'));
    await writeFile(join(dir, 'config'), kubeconfig(['mine', await closedPort()]));
  });
  after(() => rm(dir, { recursive: true, force: true }));

  const workbench = useWorkbench(() => ({
    trusted: false,
    env: { CARAVAN_DEMO: '1', KUBECONFIG: join(dir, 'config') },
    files: {
      '.vscode/settings.json': JSON.stringify({ 'caravan.kubeconfig': './theirs.yaml' }),
      'theirs.yaml': kubeconfig(['theirs', 1]),
    },
  }));
  const sites = () => workbench.sidebar.view('Sites');

  it('shows clusters, and says in one sentence what it does not start', async () => {
    await workbench.sidebar.open();
    await sites()
      .item('mine')
      .waitForText(/^mine cannot be reached$/);
    await sites().waitForMessage(/^This folder is in Restricted Mode: no local router and no demo network start here\.$/);
    await workbench.screenshot('restricted');
  });

  it('does not read the kubeconfig that the folder names', async () => {
    assert.deepEqual(
      (await sites().rows()).filter(({ level }) => level === 1).map(({ label }) => label),
      ['mine'],
    );
  });

  it('has no command that starts something', async () => {
    for (const command of ['Start Demo Network', 'Join with This Laptop…', 'Expose a Port of This Laptop…'])
      assert.deepEqual(await workbench.quickInput.commands(`Caravan: ${command}`), []);
    const welcome = await workbench.sidebar.view('Services').message();
    assert.match(welcome, /Create a Site/);
    assert.doesNotMatch(welcome, /Start the Demo Network/);
    assert.deepEqual(await workbench.quickInput.commands('Caravan: Show Log'), ['Caravan: Show Log']);
  });

  it('does all of it once it is trusted', async () => {
    await workbench.run('Workspaces: Manage Workspace Trust');
    await workbench.page.getByRole('button', { name: 'Trust', exact: true }).click();
    await workbench.page.keyboard.press('Escape');
    await sites().item('theirs').row();
    await until('the sentence to go', async () => (await sites().message()) === '');
    await workbench.run('Caravan: Start Demo Network');
    await sites()
      .item('demo')
      .waitForText(/embedded network · 3 sites/);
  });
});

/** Contexts whose clusters are ports of this computer. */
function kubeconfig(...contexts: [name: string, port: number][]): string {
  const list = (entries: object[]) => JSON.stringify(entries);
  return `# For a test.
apiVersion: v1
kind: Config
clusters: ${list(contexts.map(([name, port]) => ({ name, cluster: { server: `https://127.0.0.1:${port}` } })))}
contexts: ${list(contexts.map(([name]) => ({ name, context: { cluster: name, user: 'ada' } })))}
current-context: ${contexts[0]?.[0]}
users: ${list([{ name: 'ada', user: { token: 'secret' } }])}
`;
}

function resources(port: string): string {
  return `apiVersion: skupper.io/v2alpha1
kind: Listener
metadata:
  name: nobody
spec:
  routingKey: nobody
  host: 127.0.0.1
  port: ${port}
`;
}

function run(args: string[], env: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, [PROGRAM, ...args], { env: { ...process.env, ...env }, stdio: 'ignore' });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return child;
}

/** A port of this computer on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = await listening();
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening(): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
