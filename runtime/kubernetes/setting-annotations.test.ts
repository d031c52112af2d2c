import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_REQUEST_WEIGHT, MAX_RULE_LENGTH } from '../api/vocabulary.ts';
import { MAX_NAME_LENGTH, MAX_WEIGHT } from '../routing/limits.ts';
import { annotationsFor, readExposure } from './annotations.ts';
import type { Exposure } from './types.ts';

const PORTS = [{ port: 8080 }];

function read(type: string, more: Record<string, string>): Exposure | string | undefined {
  const annotations = Object.fromEntries(Object.entries(more).map(([key, value]) => [`skupper.io/${key}`, value]));
  return readExposure('Service', { name: 'backend', annotations: { 'skupper.io/proxy': type, ...annotations } }, PORTS);
}

describe('settings by annotation', () => {
  const good: [string, Record<string, string>, Exposure['settings']][] = [
    ['http', {}, undefined],
    ['http', { header: 'baggage: caravan=ada' }, { header: 'baggage: caravan=ada' }],
    ['http2', { 'path-prefix': '/v2', weight: '3' }, { pathPrefix: '/v2', weight: '3' }],
    ['tcp', { 'proxy-protocol': 'v2' }, { proxyProtocol: 'v2' }],
  ];
  for (const [type, annotations, expected] of good)
    it(`are read: ${type} ${JSON.stringify(annotations)}`, () => {
      const exposure = read(type, annotations) as Exposure;
      assert.deepEqual(exposure.settings, expected);
      const written = { name: 'backend', annotations: annotationsFor(exposure, 'backend') };
      assert.deepEqual(readExposure('Service', written, PORTS), exposure);
    });

  it('have the limits of what is offered', () => {
    assert.deepEqual([MAX_RULE_LENGTH, MAX_REQUEST_WEIGHT], [MAX_NAME_LENGTH, MAX_WEIGHT]);
  });

  const bad: [string, Record<string, string>, string][] = [
    ['http', { header: 'ada' }, 'skupper.io/header is "ada"; write a field and its value, such as "baggage: caravan=ada".'],
    ['http', { 'path-prefix': 'v2' }, 'skupper.io/path-prefix is "v2"; write the first part of a path, such as "/v2".'],
    ['http', { weight: '0' }, 'skupper.io/weight is "0"; use a whole number from 1 to 1000000.'],
    ['tcp', { weight: '3' }, 'skupper.io/weight is for requests: for type http and http2, not for tcp.'],
    ['tcp', { 'proxy-protocol': 'v1' }, 'skupper.io/proxy-protocol is "v1"; use v2.'],
    [
      'amqp',
      { 'proxy-protocol': 'v2' },
      'skupper.io/proxy-protocol is for type tcp; a connection carries the messages of many clients.',
    ],
  ];
  for (const [type, annotations, sentence] of bad)
    it(`are refused: ${type} ${JSON.stringify(annotations)}`, () => assert.equal(read(type, annotations), sentence));
});
