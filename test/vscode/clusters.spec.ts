/** The main job, by clicking: two clusters become one network, a manifest gets into it, the laptop joins. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { stringify } from 'yaml';
import { type Cluster } from '../lab/cluster.ts';
import { type Lab, prepareLab, startLab, whyLabCannotRun } from '../lab/lab.ts';
import { fetchInPod, shell, webServer } from '../lab/workloads.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';
import { useWorkbench } from './use-workbench.ts';
import { whyVSCodeCannotRun } from './why-vscode-cannot-run.ts';

/** Answers with its environment. */
const SERVER = `
  const { GREETING, DB_WORD, PORT } = process.env;
  require('node:http').createServer((_, response) => response.end(GREETING + ' ' + DB_WORD)).listen(Number(PORT), '127.0.0.1');
`;

/** A task that prints the environment of a pod. */
function tasksOf({ cluster, namespace }: Place): string {
  const place = { workload: 'backend', context: cluster.context, namespace, secrets: 'never' };
  const command = 'echo "$GREETING; Secret: ${DB_WORD:-none}; backend at $BACKEND_SERVICE_HOST"';
  const greet = { label: 'greet', type: 'caravan', command, ...place, problemMatcher: [] };
  return JSON.stringify({ version: '2.0.0', tasks: [greet] });
}

/** A program at that port that is debugged in place of a pod, for one developer's requests. */
function launchOf({ cluster, namespace }: Place, port: number): string {
  const place = { workload: 'Deployment/backend', context: cluster.context, namespace };
  const launch = { type: 'node', program: '${workspaceFolder}/server.js', env: { PORT: String(port) } };
  const intercept = { address: 'backend', port, header: 'baggage: caravan=ada' };
  const backend = { type: 'caravan', request: 'launch', name: 'Backend', ...place, launch, intercept };
  return JSON.stringify({ version: '0.2.0', configurations: [backend] });
}

interface Place {
  cluster: Cluster;
  namespace: string;
}

describe('two clusters and this laptop', { skip: whyLabCannotRun() ?? whyVSCodeCannotRun() }, () => {
  let lab: Lab;
  let west: Place;
  let east: Place;
  const inFile = JSON.parse(webServer('backend', { says: 'hello from west', replicas: 2 })) as object;

  before(async () => {
    await prepareLab((line) => console.error(line));
    lab = await startLab();
    [west, east] = (await Promise.all(
      [lab.west, lab.east].map(async (cluster) => ({
        cluster,
        namespace: await cluster.createNamespace('shop', { restricted: true }),
      })),
    )) as [typeof west, typeof east];
    await west.cluster.apply(JSON.stringify(inFile), west.namespace);
    for (const { cluster, namespace } of [west, east]) await cluster.apply(shell('client'), namespace);
    await Promise.all(
      [west, east].map(({ cluster, namespace }) => cluster.run('rollout', 'status', 'deployment/client', '-n', namespace)),
    );
  });
  after(() => lab?.stop());

  const workbench = useWorkbench(async () => {
    const { kubeconfigPath } = await lab.silentContext();
    return {
      env: { KUBECONFIG: `${lab.kubeconfigPath}:${kubeconfigPath}` },
      // What is there before the window is known to it at once.
      files: {
        'backend.yaml': stringify(inFile),
        'server.js': SERVER,
        '.vscode/tasks.json': tasksOf(west),
        '.vscode/launch.json': launchOf(west, await freePort()),
      },
    };
  });
  const sites = () => workbench.sidebar.view('Sites');
  const services = () => workbench.sidebar.view('Services');
  const label = ({ cluster, namespace }: typeof west) => `${cluster.context}/${namespace}`;

  it('lists the contexts at once, though one of them does not answer', async () => {
    await workbench.sidebar.open();
    for (const { cluster } of [west, east])
      await sites()
        .item(cluster.context)
        .waitForText(/no site yet|\d sites?/);
    await sites()
      .item(/silent/)
      .waitForText(/does not answer \(5 s\)/);
    await workbench.screenshot('contexts');
  });

  it('creates a site in each', async () => {
    for (const [site, wayIn] of [
      [west, 'LoadBalancer'],
      [east, 'No way in'],
    ] as const) {
      await workbench.run('Caravan: Create Site…');
      await workbench.pick(site.cluster.context);
      await workbench.pick(site.namespace);
      await workbench.pick(new RegExp(`^${wayIn}`, 'i'));
      await workbench.waitForNotification(new RegExp(`The site ${label(site)} is ready`), { timeoutMs: 60_000 });
      await workbench.notifications.clear();
      await sites()
        .item(site.cluster.context, site.namespace)
        .waitForText(/ready · no links/);
    }
  });

  it('links them in one step', async () => {
    await sites().item(east.cluster.context, east.namespace).contextMenu('Link Two Sites…');
    await workbench.pick(label(west));
    await workbench.waitForNotification(/are linked\./);
    for (const site of [west, east])
      await sites()
        .item(site.cluster.context, site.namespace)
        .waitForText(/ready · 1 link/);
    await workbench.notifications.clear();
  });

  it('exposes a workload from its manifest, in the file and in the cluster', async () => {
    await workbench.quickInput.openFile('backend.yaml');
    await workbench.editor.clickCodeLens('⊕ Expose on network…');
    await workbench.pick(/^backend · /);
    await workbench.pick('In the file and in the cluster');
    const begun = performance.now();
    const answer = await until('the answer in the other cluster', () => fetchInPod(east, 'http://backend:8080'));
    console.log(`# from annotating to an answer in the other cluster: ${Math.round(performance.now() - begun)} ms`);
    assert.equal(answer, 'hello from west');
    await workbench.editor.waitForCodeLens(/backend · .* 8080 · 1 site/);
    await workbench.sidebar.open();
    await services()
      .item('backend')
      .waitForText(/^backend \w+\s+8080\s+.*×2/);
  });

  it('joins with this laptop: the service answers on a local port', async () => {
    await sites().item(west.cluster.context, west.namespace).contextMenu('Join with This Laptop…');
    await workbench.waitForNotification(/This laptop has joined/);
    await workbench.notifications.clear();
    await services()
      .item('backend')
      .waitForText(/→ localhost:\d+$/);
    const [, port] = /localhost:(\d+)/.exec(await services().item('backend').text()) ?? [];
    assert.equal(await (await fetch(`http://127.0.0.1:${port}`)).text(), 'hello from west');
    await workbench.statusBar(/3 sites · \d+ services?/);
    await workbench.screenshot('joined');
  });

  it('moves a service to another local port', async () => {
    const port = await freePort();
    await services().item('backend').contextMenu('Change Local Port…');
    await workbench.typeInput(String(port));
    await workbench.waitForNotification(new RegExp(`backend is at localhost:${port} now`));
    await workbench.notifications.clear();
    await services()
      .item('backend')
      .waitForText(new RegExp(`→ localhost:${port}$`));
    assert.equal(await (await fetch(`http://127.0.0.1:${port}`)).text(), 'hello from west');
  });

  it('opens a terminal in the network: curl reaches the service by the name that pods use', async () => {
    await workbench.run('Caravan: Open Terminal in the Network');
    await workbench.terminal.waitForText(/[#$>%] ?$/);
    const url = `http://backend.${west.namespace}.svc.cluster.local:8080`;
    await workbench.terminal.run(`curl -s ${url}; echo " at $BACKEND_SERVICE_HOST"`);
    await workbench.terminal.waitForText(/hello from west at 127\.0\.0\.1/);
    await workbench.screenshot('terminal-in-network');
    await workbench.terminal.exit();
  });

  it('exposes a port of this laptop: pods of both clusters reach it by its name', async () => {
    const server = createServer((_request, response) => response.end('hello from the laptop')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      const { port } = server.address() as { port: number };
      await workbench.run('Caravan: Expose a Port of This Laptop…');
      await workbench.pick(String(port));
      await workbench.typeInput('mine');
      await workbench.pick('tcp');
      await workbench.waitForNotification(/is mine for the whole network/);
      for (const site of [west, east])
        assert.equal(
          await until('an answer from the laptop', () => fetchInPod(site, `http://mine:${port}`)),
          'hello from the laptop',
        );
    } finally {
      server.closeAllConnections();
      server.close();
    }
    await workbench.notifications.clear();
  });

  it('intercepts a service: pods of both clusters reach the laptop instead, until it stops', async () => {
    const server = createServer((_request, response) => response.end('hello from the laptop')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const answers = (what: string) =>
      Promise.all(
        [west, east].map((site) =>
          until(`"${what}" at ${site.cluster.name}`, async () => (await fetchInPod(site, 'http://backend:8080')) === what),
        ),
      );
    try {
      await services().item('backend').contextMenu('Intercept a Service with This Laptop…');
      await workbench.pick('Take Over');
      await workbench.pick(String((server.address() as { port: number }).port));
      await workbench.waitForNotification(/This laptop takes over: backend is at port \d+/);
      await workbench.notifications.clear();
      await answers('hello from the laptop');
      await services()
        .item('backend')
        .waitForText(/this laptop takes over/);
      await workbench.screenshot('intercepted');
      await services().item('backend').contextMenu('Stop Intercepting');
      await workbench.waitForNotification(/backend is its own servers' again/);
      await answers('hello from west');
    } finally {
      server.closeAllConnections();
      server.close();
    }
    await workbench.notifications.clear();
  });

  it('debugs a program in place of a pod: with its environment, for its own requests only', async () => {
    const { namespace, cluster } = west;
    await cluster.run('create', 'secret', 'generic', 'db', '--from-literal=word=geheim', '-n', namespace);
    await cluster.run('set', 'env', 'deployment/backend', 'GREETING=hello, debugger', '-n', namespace);
    await cluster.run('set', 'env', 'deployment/backend', '--from=secret/db', '--prefix=DB_', '-n', namespace);
    await cluster.run('rollout', 'status', 'deployment/backend', '-n', namespace);
    const mine = () => fetchInPod(east, 'http://backend:8080', { baggage: 'caravan=ada' });
    await workbench.run('Debug: Start Debugging');
    assert.match(await workbench.dialog.waitFor(/Read the Secrets of Deployment backend\?/), /^DB_WORD \(Secret db\)$/m);
    await workbench.dialog.answer('Read Them');
    await until('the program to answer', async () => (await mine()) === 'hello, debugger geheim');
    await until(
      'others to get what they always got',
      async () => (await fetchInPod(east, 'http://backend:8080')) === 'hello from west',
    );
    await services()
      .item('backend')
      .waitForText(/this laptop takes some \(baggage: caravan=ada\)/);
    await workbench.screenshot('debugging');
    await workbench.run('Debug: Stop');
    await until('the pods to answer', async () => (await mine()) === 'hello from west');
    await workbench.sidebar.open();
    await services()
      .item('backend')
      .waitForText(/^backend http\s+8080\s+west/);
  });

  it('runs a task with the environment of a pod', async () => {
    await workbench.run('Tasks: Run Task');
    await workbench.pick(/greet/);
    await workbench.terminal.waitForText(/hello, debugger; Secret: none; backend at 127\.0\.0\.1/);
  });

  it('survives a reload of the window, which ends what was debugged in it', async () => {
    await workbench.run('Debug: Start Debugging');
    await services()
      .item('backend')
      .waitForText(/this laptop takes some/);
    await workbench.reload();
    await workbench.sidebar.open();
    // The router lives on; what stood in for the service with the session of that window does not.
    await services()
      .item('backend')
      .waitForText(/^backend http\s+8080\s+west.*→ localhost:\d+$/);
    await services()
      .item('mine')
      .waitForText(/this laptop/);
  });

  it('leaves: its services are gone from the clusters', async () => {
    await workbench.run('Caravan: Leave the Network with This Laptop');
    assert.match(await workbench.dialog.waitFor(/Leave the network/), /What it offers goes with it: .*mine/);
    await workbench.dialog.answer('Leave');
    await workbench.waitForNotification(/This laptop has left/);
    await workbench.notifications.clear();
    await until('the Service to be gone', async () => !(await serviceNames(east)).includes('mine'));
    await services().item('mine').waitUntilGone();
  });

  it('stops exposing, in the file and in the cluster', async () => {
    await workbench.quickInput.openFile('backend.yaml');
    await workbench.editor.clickCodeLens('Stop exposing');
    await workbench.quickInput.waitFor(/Where is backend no longer exposed, besides this file\?/);
    await workbench.quickInput.pickMany(label(west));
    await workbench.editor.waitForCodeLens('⊕ Expose on network…');
    await workbench.notifications.clear();
    await until('the Service to be gone', async () => !(await serviceNames(east)).includes('backend'));
  });

  it('deletes the sites, and leaves nothing behind', async () => {
    await workbench.sidebar.open();
    for (const site of [west, east]) {
      await sites().item(site.cluster.context, site.namespace).contextMenu('Delete Site…');
      await until('a question', async () => {
        // A row that gets its first child or loses its last one under its menu is another one: then the command asks which site is meant.
        if (/Which site/.test(await workbench.quickInput.text()))
          await workbench.quickInput.pick(`${site.cluster.context}/${site.namespace}`);
        return (await workbench.dialog.buttons()).length > 0;
      });
      await workbench.dialog.waitFor(/Delete the site/);
      await workbench.dialog.answer('Delete Site');
      await workbench.waitForNotification(/is gone\./, { timeoutMs: 60_000 });
      await workbench.notifications.clear();
      await sites().item(site.cluster.context, site.namespace).waitUntilGone();
      const kinds = 'deployments,services,configmaps,secrets,serviceaccounts,roles,rolebindings';
      const left = await site.cluster.run(
        'get',
        kinds,
        '-n',
        site.namespace,
        '-o',
        'name',
        '-l',
        'app.kubernetes.io/name=caravan',
      );
      assert.equal(left.trim(), '');
    }
  });

  async function serviceNames({ cluster, namespace }: typeof west): Promise<string[]> {
    return (await cluster.run('get', 'services', '-n', namespace, '-o', 'jsonpath={.items[*].metadata.name}')).split(' ');
  }
});
