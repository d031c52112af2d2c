import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { fakeStatus } from '../../test/support/fake-site.ts';
import { TerminalEnvironment, type VariablesLike } from './terminal-environment.ts';

class Variables implements VariablesLike {
  persistent = true;
  description: unknown;
  readonly now = new Map<string, string>();
  changes = 0;
  replace(variable: string, value: string): void {
    this.changes++;
    this.now.set(variable, value);
  }
  delete(variable: string): void {
    this.changes++;
    this.now.delete(variable);
  }
}

describe("terminals' environment", () => {
  let variables: Variables;
  let environment: TerminalEnvironment;
  beforeEach(() => {
    variables = new Variables();
    environment = new TerminalEnvironment(variables);
  });
  const status = fakeStatus();
  const moved = { ...status, listeners: status.listeners.map((listener) => ({ ...listener, port: 9090 })) };

  test('has the services that this laptop reaches, and is not kept for the next window', () => {
    environment.update(status);
    assert.deepEqual(Object.fromEntries(variables.now), { BACKEND_SERVICE_HOST: '127.0.0.1', BACKEND_SERVICE_PORT: '8080' });
    assert.equal(variables.persistent, false);
    assert.match(String(variables.description), /services of the network/);
  });

  test('is written to where something changed only', () => {
    environment.update(status);
    environment.update({ ...status });
    assert.equal(variables.changes, 2);
    environment.update(moved);
    assert.deepEqual([variables.changes, variables.now.get('BACKEND_SERVICE_PORT')], [3, '9090']);
  });

  test('is empty when the laptop has left', () => {
    environment.update(status);
    environment.update(undefined);
    assert.equal(variables.now.size, 0);
    environment.update(status);
    assert.equal(variables.now.size, 2, 'and full again when it has joined');
  });
});
