import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { originOf } from '../origin.ts';
import { type Field, field, fieldOf, type Fields } from './field.ts';
import { ForwardedFields, isGrpc, withoutHopByHop } from './fields.ts';

const fieldsOf = (...pairs: [string, string][]): Field[] => pairs.map(([name, value]) => field(name, value));
const pairsOf = (fields: Fields): string[][] => fields.map(({ name, value }) => [name, value]);

function forwarded(address: string | undefined, name: string, ...fields: [string, string][]): string | undefined {
  return fieldOf(new ForwardedFields(originOf({ remoteAddress: address })).addTo(fieldsOf(...fields), '2.0'), name);
}

describe('fields for the next hop', () => {
  it('are without those of the connection, and those that it names; that trailers are taken stays', () => {
    const fields = fieldsOf(
      ['connection', 'close, X-Mine'],
      ['x-mine', '1'],
      ['te', 'gzip, Trailers'],
      ['upgrade', 'h2c'],
      ['x-yours', '2'],
    );
    assert.deepEqual(pairsOf(withoutHopByHop(fields)), [
      ['x-yours', '2'],
      ['te', 'trailers'],
    ]);
  });

  it('are as many as they were', () => {
    const fields = fieldsOf(['x-bin', 'AA'], ['x-bin', 'BB'], ['te', 'gzip'], ['x-bin', 'CC']);
    assert.deepEqual(pairsOf(withoutHopByHop(fields)), [
      ['x-bin', 'AA'],
      ['x-bin', 'BB'],
      ['x-bin', 'CC'],
    ]);
  });

  it('name the client as RFC 7239 wants it', () => {
    assert.equal(forwarded('192.0.2.1', 'forwarded'), 'for=192.0.2.1;proto=http');
    assert.equal(forwarded('::ffff:192.0.2.1', 'x-forwarded-for'), '192.0.2.1');
    assert.equal(forwarded('2001:db8::1', 'forwarded'), 'for="[2001:db8::1]";proto=http');
    assert.equal(forwarded('2001:db8::1', 'x-forwarded-for'), '2001:db8::1');
    assert.equal(forwarded(undefined, 'forwarded'), 'for=unknown;proto=http');
    const host = forwarded('192.0.2.1', 'forwarded', [':authority', 'a"b:80']);
    assert.equal(host, String.raw`for=192.0.2.1;host="a\"b:80";proto=http`);
  });

  it('name each host that one client asks for', () => {
    const client = new ForwardedFields(originOf({ remoteAddress: '192.0.2.1' }));
    const hostOf = (...fields: [string, string][]) => fieldOf(client.addTo(fieldsOf(...fields), '2.0'), 'x-forwarded-host');
    assert.deepEqual(
      [hostOf([':authority', 'a']), hostOf([':authority', 'b']), hostOf(), hostOf(['host', 'a'])],
      ['a', 'b', undefined, 'a'],
    );
  });
});

it('gRPC is known by its content type', () => {
  for (const type of ['application/grpc', 'application/grpc+proto', 'application/grpc; charset=utf-8'])
    assert.ok(isGrpc(fieldsOf(['content-type', type])), type);
  for (const type of ['application/grpc-web', 'application/json']) assert.ok(!isGrpc(fieldsOf(['content-type', type])), type);
  assert.ok(!isGrpc([]));
});
