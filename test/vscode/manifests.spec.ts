import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { until } from '../support/until.ts';
import { useWorkbench } from './use-workbench.ts';
import { whyVSCodeCannotRun } from './why-vscode-cannot-run.ts';

const BACKEND = `# The shop's API.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: backend # stays
  labels: { app: shop }
spec:
  template:
    spec:
      containers:
        - name: backend
          ports:
            - containerPort: 8080
`;
const BROKEN = `apiVersion: v1
kind: Service
metadata: [
---
apiVersion: v1
kind: Service
metadata:
  name: whole
spec:
  ports:
    - port: 80
`;

describe('a manifest', { skip: whyVSCodeCannotRun() }, () => {
  const workbench = useWorkbench({ files: { 'backend.yaml': BACKEND, 'broken.yaml': BROKEN } });
  const text = (file: string) => readFile(join(workbench.folder, file), 'utf8');

  it('says, where there is no kubeconfig, what to do about it', async () => {
    await (await workbench.sidebar.open()).view('Sites').waitForMessage(/kubeconfig/);
  });

  it('is exposed by its code lens, and keeps its comments and formatting', async () => {
    await workbench.quickInput.openFile('backend.yaml');
    await workbench.editor.clickCodeLens('⊕ Expose on network…');
    await workbench.pick(/^backend · tcp 8080|^backend · http 8080/);
    await workbench.pick('In the file');
    await workbench.editor.waitForCodeLens(/backend · .* 8080$/);
    // The lens follows the text in the editor, which is saved after it.
    const exposed = await until('the file to be written', async () => {
      const now = await text('backend.yaml');
      return now !== BACKEND && now;
    });
    assert.match(exposed, /^ {2}annotations:\n {4}skupper\.io\/proxy: (tcp|http)$/m);
    const added = exposed.split('\n').filter((line) => !BACKEND.split('\n').includes(line));
    assert.ok(
      added.every((line) => /annotations:|skupper\.io\//.test(line)),
      `more than annotations was written: ${added.join(' | ')}`,
    );
    await workbench.screenshot('exposed');
  });

  it('is as before after "Stop exposing"', async () => {
    await workbench.editor.clickCodeLens('Stop exposing');
    await workbench.editor.waitForCodeLens('⊕ Expose on network…');
    await until('the file to be as it was', async () => (await text('backend.yaml')) === BACKEND);
  });

  it('has lenses where it is valid, though one document of it is not', async () => {
    await workbench.quickInput.openFile('broken.yaml');
    await workbench.editor.waitForCodeLens('⊕ Expose on network…');
    assert.equal((await workbench.editor.codeLenses()).length, 1);
  });

  it('that is not valid gives one sentence, and stays as it is', async () => {
    await workbench.editor.reveal('metadata: [');
    await workbench.run('Caravan: Expose on Network…');
    await workbench.waitForNotification(/Mend it, then try again\.$/);
    assert.equal(await text('broken.yaml'), BROKEN);
  });
});
