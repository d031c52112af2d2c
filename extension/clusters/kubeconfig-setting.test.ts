import assert from 'node:assert/strict';
import { delimiter, join, resolve } from 'node:path';
import { test } from 'node:test';
import { kubeconfigFrom } from './kubeconfig-setting.ts';

test('relative paths of the setting are meant from the folder, others stay', () => {
  const folder = resolve('/work');
  const setting = ['kube.yaml', '~/.kube/config', resolve('/etc/kube.yaml'), ' '].join(delimiter);
  const expected = [join(folder, 'kube.yaml'), '~/.kube/config', resolve('/etc/kube.yaml')].join(delimiter);
  assert.equal(kubeconfigFrom(setting, folder), expected);
  assert.equal(kubeconfigFrom('kube.yaml', undefined), 'kube.yaml');
  for (const empty of ['', ' ', undefined]) assert.equal(kubeconfigFrom(empty, folder), undefined);
});
