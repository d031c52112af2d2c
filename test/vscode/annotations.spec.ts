/** What an editor says of annotations that are being written: warnings with fixes, hovers, completions. */
import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { EXPOSURE_ANNOTATIONS } from '../../runtime/kubernetes/annotations.ts';
import { until } from '../support/until.ts';
import { useWorkbench } from './use-workbench.ts';
import { whyVSCodeCannotRun } from './why-vscode-cannot-run.ts';

function deployment(name: string, annotations: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
${annotations}spec:
  template:
    spec:
      containers:
        - name: ${name}
          ports:
            - containerPort: 8080
            - containerPort: 8443
`;
}

const FILES = {
  'port.yaml': deployment('backend', '  annotations:\n    skupper.io/proxy: tcp\n    skupper.io/port: "9999" # to be checked\n'),
  'protocol.yaml': deployment('pages', '  annotations:\n    skupper.io/proxy: htpp\n'),
  'tls.yaml': deployment('db', '  annotations:\n    skupper.io/proxy: tcp\n    skupper.io/tls-trust: db-ca\n'),
  'hover.yaml': deployment('orders', '  annotations:\n    skupper.io/proxy: http2\n    skupper.io/address: shop-orders\n'),
  'unfinished.yaml': deployment('search', '  annotations:\n    \n'),
  'plain.yaml': deployment('plain', ''),
  'values.yaml': 'skupper.io/proxy: htpp # no manifest: nothing to say\n',
};

const NO_PORT = /No container of backend listens on 9999: its ports are 8080, 8443\./;
const NO_SERVER_NAME =
  /pods of a Deployment have no name that a certificate could be for; say which with skupper\.io\/tls-server-name/;
const NO_PROTOCOL = /There is no protocol "htpp": use .*http.*\./;

describe('annotations in a manifest', { skip: whyVSCodeCannotRun() }, () => {
  const workbench = useWorkbench({ files: FILES });
  const { editor } = workbench;
  const ofCaravan = async () => (await editor.problems()).filter((problem) => problem.includes('Caravan'));

  it('are left alone where there are none', async () => {
    await editor.open('plain.yaml');
    await editor.waitForCodeLens('⊕ Expose on network…');
    await editor.open('values.yaml');
    // Whatever had been found would be there before this one's.
    await editor.open('port.yaml');
    await editor.waitForProblem(NO_PORT);
    assert.equal((await ofCaravan()).length, 1);
  });

  it('that name a port which no container has are told, and mended by a quick fix', async () => {
    await editor.open('port.yaml');
    await editor.reveal('9999');
    await workbench.screenshot('annotation-warning');
    await editor.quickFix('9999', 'Use 8443');
    await editor.waitForText('    skupper.io/port: "8443" # to be checked\n');
    await waitForNone(NO_PORT);
  });

  it('that name a protocol which nobody knows are told, and mended by a quick fix', async () => {
    await editor.open('protocol.yaml');
    await editor.waitForProblem(NO_PROTOCOL);
    await editor.open('protocol.yaml');
    assert.match(await editor.hover('htpp'), NO_PROTOCOL);
    await workbench.screenshot('protocol-warning');
    await editor.quickFix('htpp', 'Use http');
    await editor.waitForText('    skupper.io/proxy: http\n');
    await waitForNone(NO_PROTOCOL);
  });

  it('that speak of TLS and leave something out are told, and mended by a quick fix', async () => {
    await editor.open('tls.yaml');
    await editor.waitForProblem(NO_SERVER_NAME);
    await editor.open('tls.yaml');
    assert.match(await editor.hover('skupper.io/tls-trust'), /Its servers speak TLS, and ca\.crt of this Secret/);
    await editor.quickFix('db-ca', 'Add skupper.io/tls-server-name: "db"');
    await editor.waitForText('    skupper.io/tls-server-name: db\n');
    await waitForNone(NO_SERVER_NAME);
  });

  it('tell in a hover what they do and where the service is offered', async () => {
    await editor.open('hover.yaml');
    const key = await editor.hover('skupper.io/proxy');
    assert.match(key, /Exposes this object/);
    assert.match(key, /HTTP\/2 and gRPC/);
    assert.match(key, /Others reach it at shop-orders:8080 and 1 other port\. No network that is known here offers it now\./);
    await workbench.screenshot('annotation-hover');
    assert.match(await editor.hover('shop-orders'), /The name under which the whole network reaches it/);
  });

  it('are proposed, keys first and then their values', async () => {
    await editor.open('unfinished.yaml');
    await editor.reveal('annotations:');
    await editor.press('ArrowDown');
    await editor.press('End');
    const keys = (await editor.completions()).filter((key) => key.startsWith('skupper.io/'));
    // The workbench draws as many as its list shows at a time.
    assert.ok(keys.length >= 10, keys.join(' '));
    assert.deepEqual(keys, EXPOSURE_ANNOTATIONS.slice(0, keys.length));
    await editor.complete('skupper.io/proxy');
    await editor.waitForText('    skupper.io/proxy: ');
    const values = await editor.completions();
    assert.deepEqual([...values].sort(), ['amqp', 'http', 'http2', 'tcp', 'udp']);
    await editor.complete('http2');
    await editor.waitForText('    skupper.io/proxy: http2\n');
    await editor.type('\nskupper.io/port: ');
    assert.deepEqual(await editor.completions(), ['8080', '8443', '8080,8443']);
    await editor.complete('8080,8443');
    await editor.waitForText('    skupper.io/port: "8080,8443"\n');
    assert.deepEqual(await ofCaravan(), []);
  });

  it('are not warned of while the setting is off, also in what is open', async () => {
    await editor.open('hover.yaml');
    await editor.reveal('http2');
    for (let letters = 0; letters < 'http2'.length; letters++) await editor.press('Delete');
    await editor.type('htpp');
    await editor.waitForProblem(NO_PROTOCOL);
    const settings = join(workbench.folder, '.vscode');
    await mkdir(settings);
    await writeFile(join(settings, 'settings.json'), JSON.stringify({ 'caravan.diagnostics': false }));
    await waitForNone(NO_PROTOCOL);
    await rm(settings, { recursive: true });
    await editor.waitForProblem(NO_PROTOCOL);
  });

  async function waitForNone(pattern: RegExp): Promise<void> {
    await until(
      async () => `the warning ${pattern} to go; there are: ${(await editor.problems()).join(' | ')}`,
      async () => !(await editor.problems()).some((problem) => pattern.test(problem)),
    );
  }
});
