import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isExempt } from './no-proxy.ts';

const CASES: [noProxy: string, exempt: string[], proxied: string[]][] = [
  ['', ['localhost:1', 'a.localhost:1', '127.0.0.1:1', '127.9.9.9:1', '::1:1'], ['example.com:443', '10.0.0.1:443']],
  ['example.com', ['example.com:1', 'EXAMPLE.com.:1', 'a.b.example.com:1'], ['anexample.com:1', 'example.com.org:1']],
  ['.example.com', ['a.example.com:1'], ['example.com:1', 'aexample.com:1']],
  ['*.example.com', ['a.example.com:1'], ['example.com:1']],
  ['*', ['example.com:1', '10.0.0.1:1', '2001:db8::1:1'], []],
  ['a, b\tc', ['a:1', 'b:1', 'c:1'], ['d:1']],
  ['example.com:8443', ['example.com:8443', 'a.example.com:8443'], ['example.com:443']],
  ['10.1.2.3,[2001:db8::1]:443', ['10.1.2.3:1', '2001:db8:0::1:443'], ['10.1.2.4:1', '2001:db8::1:80', 'a10.1.2.3:1']],
  ['2001:db8::1', ['2001:db8::1:5'], ['2001:db8::2:5']],
  ['10.0.0.0/8,fd00::/8', ['10.255.0.1:1', 'fd12::1:1'], ['11.0.0.1:1', 'fe00::1:1', '10.example:1']],
  ['10.0.0.0/99,nonsense/8,.,*.,:80', [], ['10.0.0.1:80', 'example.com:80']],
];

for (const [noProxy, exempt, proxied] of CASES)
  it(`NO_PROXY="${noProxy}"`, () => {
    const isSo = (target: string) => {
      const at = target.lastIndexOf(':');
      return isExempt({ host: target.slice(0, at), port: Number(target.slice(at + 1)) }, noProxy);
    };
    for (const target of exempt) assert.equal(isSo(target), true, target);
    for (const target of proxied) assert.equal(isSo(target), false, target);
  });
