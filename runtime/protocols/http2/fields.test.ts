import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { originOf } from '../origin.ts';
import { addForwarded, type Fields, isGrpc, received, withoutHopByHop } from './fields.ts';

function forwarded(address: string | undefined, fields: Fields = {}): Fields {
  addForwarded(fields, originOf({ remoteAddress: address }));
  return fields;
}

describe('fields for the next hop', () => {
  it('are without those of the connection, and those that it names; that trailers are taken stays', () => {
    const fields: Fields = { connection: 'close, X-Mine', 'x-mine': '1', te: 'gzip, Trailers', upgrade: 'h2c', 'x-yours': '2' };
    withoutHopByHop(fields);
    assert.deepEqual(fields, { te: 'trailers', 'x-yours': '2' });
  });

  it('are as many as they were, but for those that may be there once', () => {
    const raw = ['x-bin', 'AA', 'x-bin', 'BB', 'x-bin', 'CC', 'content-type', 'a', 'content-type', 'b'];
    const headers = { 'x-bin': 'AA, BB, CC', 'content-type': 'a' };
    assert.deepEqual({ ...received(headers, raw) }, { 'x-bin': ['AA', 'BB', 'CC'], 'content-type': 'a' });
  });

  it('name the client as RFC 7239 wants it', () => {
    assert.equal(forwarded('192.0.2.1')['forwarded'], 'for=192.0.2.1;proto=http');
    assert.equal(forwarded('::ffff:192.0.2.1')['x-forwarded-for'], '192.0.2.1');
    assert.equal(forwarded('2001:db8::1')['forwarded'], 'for="[2001:db8::1]";proto=http');
    assert.equal(forwarded('2001:db8::1')['x-forwarded-for'], '2001:db8::1');
    assert.equal(forwarded(undefined)['forwarded'], 'for=unknown;proto=http');
    const host = forwarded('192.0.2.1', { ':authority': 'a"b:80' });
    assert.equal(host['forwarded'], String.raw`for=192.0.2.1;host="a\"b:80";proto=http`);
  });
});

it('gRPC is known by its content type', () => {
  for (const type of ['application/grpc', 'application/grpc+proto', 'application/grpc; charset=utf-8'])
    assert.ok(isGrpc({ 'content-type': type }), type);
  for (const type of ['application/grpc-web', 'application/json', undefined])
    assert.ok(!isGrpc(type === undefined ? {} : { 'content-type': type }), type);
});
