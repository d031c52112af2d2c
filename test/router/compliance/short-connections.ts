import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Check } from './checks.ts';

const CONNECTIONS = 1000;
const AT_A_TIME = 40;

export const shortConnections: Check = (line, protocol) => {
  it(`carries ${CONNECTIONS} connections, ${AT_A_TIME} at a time`, async () => {
    const door = await line.echo(protocol);
    let left = CONNECTIONS;
    const worker = async (): Promise<void> => {
      while (left > 0) {
        const question = `question ${left--}`;
        assert.equal((await protocol.ask(door, Buffer.from(question))).toString(), question);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  });
};
