import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hoverAt, type OfferedNow } from './hovers.ts';
import { readManifest } from './workloads.ts';

const manifest = (annotations: string) =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: backend\n  annotations:\n${annotations
    .split('\n')
    .map((line) => `    ${line}\n`)
    .join('')}spec: {template: {spec: {containers: [{ports: [{containerPort: 8080}]}]}}}\n`;

/** What is told at `at`, and what it is told of. */
function hover(annotations: string, at: string, offered?: OfferedNow): { of: string; text: string } | undefined {
  const text = manifest(annotations);
  const found = hoverAt(readManifest(text).workloads, text.indexOf(at) + 1, () => offered);
  return found && { of: text.slice(found.start, found.end), text: found.markdown };
}

describe('hovering', () => {
  test('a key tells what it does and where the address is offered now', () => {
    const { of, text } = hover('skupper.io/proxy: http', 'skupper.io/proxy', { at: 'west/shop ×3', local: 'localhost:8080' })!;
    assert.equal(of, 'skupper.io/proxy');
    assert.match(text, /^\*\*skupper\.io\/proxy\*\*: Exposes this object/);
    assert.match(text, /`http`: HTTP\/1\.1 and WebSocket\. Each request goes to the best place/);
    assert.match(text, /Others reach it at `backend:8080`\. Offered now by west\/shop ×3\. On this computer: localhost:8080\.$/);
  });

  const cases: [string, string, string, OfferedNow | undefined, RegExp][] = [
    ['a value', 'skupper.io/proxy: tcp', 'tcp', undefined, /`tcp`: Any connection, TLS included/],
    ['an address', 'skupper.io/proxy: tcp\nskupper.io/address: shop', 'shop', undefined, /Others reach it at `shop:8080`/],
    [
      'a port',
      'skupper.io/proxy: tcp\nskupper.io/port: "80:8080,443:8443"',
      '80:8080',
      undefined,
      /Port 80 leads to port 8080 of the pods\. Port 443 leads .*\n\nOthers reach it at `backend:80` and 1 other port\./,
    ],
    ['an aggregate', 'skupper.io/proxy: http\nskupper.io/aggregate: json', 'json', undefined, /`json`: An array of the answers/],
    ['how servers are verified', 'skupper.io/proxy: tcp\nskupper.io/tls: insecure', 'insecure', undefined, /`insecure`: Not verified/],
    ['a Secret', 'skupper.io/proxy: tcp\nskupper.io/tls-cert: backend-tls', 'backend-tls', undefined, /Secret of this name in their own namespace/],
    ['a name that is missing', 'skupper.io/proxy: tcp\nskupper.io/tls-trust: ca', 'ca', undefined, /pods of a Deployment have no name/],
    ['a distribution', 'skupper.io/proxy: tcp\nskupper.io/distribution: closest', 'closest', undefined, /`closest`: Every connection goes to the nearest/],
    ['no network', 'skupper.io/proxy: tcp', 'tcp', undefined, /No network that is known here offers it now\.$/],
    ['nothing ready', 'skupper.io/proxy: tcp', 'tcp', { at: '' }, /Offered nowhere now: nothing behind it is ready\.$/],
    ['two sites that disagree', 'skupper.io/proxy: tcp', 'tcp', { at: 'west', warning: 'west says tcp.' }, /\n\nwest says tcp\\\.$/],
    ['no exposure', 'skupper.io/port: "80"', '80', undefined, /Deployment backend is not exposed: it has no `skupper\.io\/proxy`\.$/],
    ['nonsense', 'skupper.io/proxy: smtp', 'smtp', undefined, /must be one of tcp, http/],
    ['a name of others', 'skupper.io/proxy: tcp', 'tcp', { at: '[x](y)' }, /Offered now by \\\[x\\\]\\\(y\\\)\./],
  ]; // prettier-ignore
  for (const [name, annotations, at, offered, pattern] of cases)
    test(`${name} is told`, () => assert.match(hover(annotations, at, offered)!.text, pattern));

  test('anything else is left to others', () => {
    assert.equal(hover('skupper.io/proxy: tcp\nowner: ada', 'ada'), undefined);
    assert.equal(hover('skupper.io/proxy: tcp', 'backend'), undefined);
  });
});
