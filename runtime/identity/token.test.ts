import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CaravanError } from '../errors.ts';
import { tokenFromYaml, tokenToYaml } from './token.ts';

const token = {
  name: 'a1b2c3d4e5',
  url: 'https://203.0.113.7:8443/claims/a1b2c3d4e5',
  code: 'a code',
  ca: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
  linkCost: 3,
};

describe('a token', () => {
  it('is read as it was written', () => {
    const { name, url, code, ca, linkCost } = tokenFromYaml(tokenToYaml(token));
    assert.deepEqual({ name, url, code, ca, linkCost }, token);
  });

  it('may have come through Windows', () => {
    assert.equal(tokenFromYaml(tokenToYaml(token).replaceAll('\n', '\r\n')).code, 'a code');
  });

  const yaml = tokenToYaml(token);
  for (const [what, text, why] of [
    ['nothing', '', /There is no AccessToken in it\./],
    ['another resource', yaml.replace('AccessToken', 'AccessGrant').replace(/spec:[^]*/, ''), /There is no AccessToken in it\./],
    ['cut short', yaml.slice(0, yaml.indexOf('ca:')), /spec\.ca is missing\. \(the token:\d+\)/],
    ['garbled', `${yaml.slice(0, 60)}\u0000\u0001{{{${yaml.slice(90)}`, /\(the token:\d+\)/],
    ['a page of HTML', '<!doctype html>\n<html><body>Not Found</body></html>', /\(the token:\d+\)/],
    ['two at once', `${yaml}---\n${yaml}`, /more than one AccessToken/],
  ] as const)
    it(`that is ${what} is told in one line that says what to do`, () => {
      assert.throws(
        () => tokenFromYaml(text),
        (error) => {
          assert.ok(error instanceof CaravanError);
          assert.equal(error.code, 'token-invalid');
          assert.match(
            error.message,
            /^the token cannot be read\. [^\n]+ Copy it again, whole, or ask for a new one: caravan token issue$/,
          );
          assert.match(error.message, why);
          assert.ok(!error.message.includes('a code'));
          return true;
        },
      );
    });
});
