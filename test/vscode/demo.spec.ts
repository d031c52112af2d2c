/** What a newcomer sees: the embedded network, without any cluster. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ApiClient } from '../../runtime/api/client.ts';
import { until } from '../support/until.ts';
import { useWorkbench } from './use-workbench.ts';
import { whyVSCodeCannotRun } from './why-vscode-cannot-run.ts';

const folder = fileURLToPath(new URL('../../media/demo-workspace', import.meta.url));

describe('the embedded network', { skip: whyVSCodeCannotRun() }, () => {
  const workbench = useWorkbench({ folder, env: { CARAVAN_DEMO: '1' } });

  it('starts by itself and shows its three sites', async () => {
    const sites = (await workbench.sidebar.open()).view('Sites');
    await sites.item('demo').waitForText(/embedded network · 3 sites/);
    for (const name of ['cloud', 'onprem', 'laptop']) await sites.item('demo', name).waitForText(/ready · \d links?/);
  });

  it('lists every service with its address, protocol, port and where it is offered', async () => {
    const services = workbench.sidebar.view('Services');
    await services.item('backend').waitForText(/^backend tcp\s+\d+\s+cloud\s+→ localhost:\d+$/);
    await services.item('orders').waitForText(/^orders tcp\s+\d+\s+onprem\s+→ localhost:\d+$/);
    await workbench.statusBar(/3 sites · \d services/);
  });

  it('really carries requests: the backend answers on its local port, with orders from the third site', async () => {
    const [, port] = /localhost:(\d+)/.exec(await workbench.sidebar.view('Services').item('backend').text()) ?? [];
    const answer = await fetch(`http://127.0.0.1:${port}/orders`);
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), /espresso/);
  });

  it('explains a service', async () => {
    await until('the explanation', async () => {
      await workbench.sidebar.view('Services').item('orders').click();
      await workbench.webview().getByText('orders can be reached from laptop.').waitFor({ timeout: 8000 });
      return true;
    });
    await workbench.screenshot('explain');
  });

  it('shows a manifest with what it exposes', async () => {
    await workbench.quickInput.openFile('backend.yaml');
    await workbench.editor.waitForCodeLens('⊕ Expose on network…');
    await workbench.quickInput.openFile('orders.yaml');
    await workbench.editor.waitForCodeLens(/orders · tcp 5432 · 1 site/);
    await workbench.sidebar.view('Sites').item('demo', 'cloud').expand();
    await workbench.sidebar.widen(460);
    await workbench.screenshot('demo');
  });

  it('follows what changes: a service that appears and goes', async () => {
    const cloud = ApiClient.overSocket(join(workbench.runtimeDirectory, 'demo-cloud.sock'));
    const made = await cloud.expose({ address: 'search', port: 9 });
    await workbench.sidebar
      .view('Services')
      .item('search')
      .waitForText(/^search tcp\s+9\s+cloud/);
    await cloud.remove(made);
    await workbench.sidebar.view('Services').item('search').waitUntilGone();
  });

  it('ends with everything that it started', async () => {
    await workbench.run('Caravan: Stop Demo Network');
    await workbench.sidebar.view('Sites').item('demo').waitUntilGone();
    await until('the services to be gone', async () => (await workbench.sidebar.view('Services').rows()).length === 0);
  });
});
