import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { browserUrl, connectionString } from './connection-string.ts';

describe('the connection string', () => {
  for (const [type, servicePort, port, expected] of [
    ['tcp', 5432, 5432, 'postgresql://localhost:5432'],
    ['tcp', 5432, 40_000, 'postgresql://localhost:40000'],
    ['tcp', 6379, 6379, 'redis://localhost:6379'],
    ['tcp', 6380, 6380, 'rediss://localhost:6380'],
    ['tcp', 5672, 5672, 'amqp://localhost:5672'],
    ['tcp', 5671, 5671, 'amqps://localhost:5671'],
    ['amqp', 9999, 9999, 'amqp://localhost:9999'],
    ['tcp', 3306, 3306, 'mysql://localhost:3306'],
    ['tcp', 27017, 27017, 'mongodb://localhost:27017'],
    ['tcp', 80, 40_080, 'http://localhost:40080'],
    ['tcp', 8080, 8080, 'http://localhost:8080'],
    ['tcp', 443, 8443, 'https://localhost:8443'],
    ['http', 8443, 8443, 'https://localhost:8443'],
    ['http', 3000, 3000, 'http://localhost:3000'],
    ['http2', 50_051, 50_051, 'http://localhost:50051'],
    ['tcp', 9000, 9000, 'localhost:9000'],
  ] as const)
    test(`of ${type} ${servicePort} at ${port} is ${expected}`, () =>
      assert.equal(connectionString({ type, servicePort, local: `localhost:${port}` }), expected));
});

describe('what a browser opens', () => {
  for (const [type, servicePort, expected] of [
    ['http', 3000, 'http://localhost:1'],
    ['http', 8443, 'http://localhost:1'],
    ['tcp', 443, 'https://localhost:1'],
    ['tcp', 8080, 'http://localhost:1'],
    ['tcp', 9000, 'http://localhost:1'],
    ['tcp', 5432, undefined],
    ['udp', 53, undefined],
    ['amqp', 5672, undefined],
    ['http2', 50_051, undefined],
  ] as const)
    test(`of ${type} ${servicePort} is ${expected ?? 'nothing'}`, () =>
      assert.equal(browserUrl({ type, servicePort, local: 'localhost:1' }), expected));
});
