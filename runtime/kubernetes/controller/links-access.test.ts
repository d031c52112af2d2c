import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { V1Pod } from '@kubernetes/client-node';
import { linksAccess } from './links-access.ts';

const pod = (hostIP: string, phase = 'Running'): V1Pod => ({ metadata: { name: 'a' }, status: { hostIP, phase } });
const hosts = (pods: V1Pod[], hostIp: string | undefined, externalTrafficPolicy = 'Cluster') => {
  const ports = [{ port: 8443, nodePort: 30_123 }];
  const services = [{ metadata: { name: 'caravan-links' }, spec: { type: 'NodePort', ports, externalTrafficPolicy } }];
  const { access } = linksAccess({ services, pods, hostIp, now: 0 });
  assert.ok(access.every(({ port, way }) => port === 30_123 && way === 'NodePort'));
  return access.map(({ host }) => host);
};

test('a NodePort is at the own node first, then at other nodes with pods of the namespace', () => {
  const pods = [pod('192.0.2.9'), pod('192.0.2.1'), pod('192.0.2.1'), pod('192.0.2.7'), pod('192.0.2.3', 'Failed')];
  assert.deepEqual(hosts(pods, '192.0.2.7'), ['192.0.2.7', '192.0.2.1', '192.0.2.9']);
  assert.deepEqual(hosts(pods, '192.0.2.7', 'Local'), ['192.0.2.7']);
  assert.deepEqual(hosts(pods, undefined), []);
});

test('not more nodes are told than a link may try in turn', () => {
  const pods = Array.from({ length: 20 }, (_, index) => pod(`192.0.2.${index + 10}`));
  assert.equal(hosts(pods, '192.0.2.1').length, 5);
});
