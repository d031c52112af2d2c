import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { type ListeningSocket, onLoopback } from './listening-port.ts';
import { listeningPorts } from './listening-ports.ts';
import { LSOF_ARGUMENTS, parseLsof } from './lsof.ts';
import { parseNetstat, parseTasklist } from './netstat.ts';
import { parseProcNet, processName } from './proc-net.ts';

const socket = (address: string, port: number, owner: string): ListeningSocket<string> => ({ address, port, owner });

test("Linux' list of sockets is understood", () => {
  const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1030515 1 0000000085f977b4 100 0 0 10 0
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 461520 1 00000000581b4447 100 0 0 10 0
   2: 0100007F:1F90 0100007F:9C6D 01 00000000:00000000 00:00000000 00000000  1000        0 462214 1 000000008d1b6d3b 20 4 30 10 -1
`;
  const tcp6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:1435 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 7 1 0 100 0 0 10 0
   1: 00000000000000000000000000000000:0BB8 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 8 1 0 100 0 0 10 0
   2: 0000000000000000FFFF00000100007F:0BB9 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 9 1 0 100 0 0 10 0
`;
  assert.deepEqual(parseProcNet(tcp), [socket('127.0.0.1', 8080, '1030515'), socket('0.0.0.0', 22, '461520')]);
  assert.deepEqual(parseProcNet(tcp6), [socket('::1', 5173, '7'), socket('::', 3000, '8'), socket('127.0.0.1', 3001, '9')]);
});

describe('a process of Linux is called', () => {
  for (const [commandLine, name] of [
    ['/usr/bin/node\0--inspect\0/home/ada/shop/server.js\0--port\x008080\0', 'node server.js'],
    ['python3.12\0manage.py\0runserver\0', 'python3.12 manage.py'],
    ['/usr/sbin/postgres\0-D\0/data\0', 'postgres'],
    ['nginx: master process nginx -g daemon off;\0', 'nginx'],
    ['node\0', 'node'],
    ['', undefined],
  ] as const)
    test(String(name), () => assert.equal(processName(commandLine), name));
});

test("macOS' list of sockets is understood", () => {
  const text = `p501
cnode
f23
n127.0.0.1:8080
f24
n[::1]:5173
p502
cCode\\x20Helper\\x20(Plugin)
f20
n*:3000
p503
cbroken
f1
nlocalhost
`;
  assert.deepEqual(parseLsof(text), [
    socket('127.0.0.1', 8080, 'node'),
    socket('::1', 5173, 'node'),
    socket('*', 3000, 'Code Helper (Plugin)'),
  ]);
});

test("Windows' list of sockets is understood, in any language", () => {
  const text = `\r
Aktive Verbindungen\r
\r
  Proto  Lokale Adresse         Remoteadresse          Status           PID\r
  TCP    0.0.0.0:135            0.0.0.0:0              ABHÖREN          1136\r
  TCP    127.0.0.1:8080         0.0.0.0:0              ABHÖREN          4711\r
  TCP    127.0.0.1:8080         127.0.0.1:50001        HERGESTELLT      4711\r
  TCP    [::1]:5173             [::]:0                 ABHÖREN          4712\r
  UDP    0.0.0.0:123            *:*                                     1184\r
`;
  assert.deepEqual(parseNetstat(text), [
    socket('0.0.0.0', 135, '1136'),
    socket('127.0.0.1', 8080, '4711'),
    socket('::1', 5173, '4712'),
  ]);
  const tasks = '"System Idle Process","0","Services","0","8 K"\r\n"node.exe","4711","Console","1","52,100 K"\r\n';
  assert.deepEqual(
    [...parseTasklist(tasks)],
    [
      ['0', 'System Idle Process'],
      ['4711', 'node'],
    ],
  );
});

test('what loopback does not lead to is left out, and a port is offered once', () => {
  const sockets = [
    socket('::1', 5173, 'vite'),
    socket('192.0.2.7', 80, 'other'),
    socket('127.0.0.53', 53, 'resolver'),
    socket('::1', 8080, 'both'),
    socket('127.0.0.1', 8080, 'both'),
    socket('::', 3000, ''),
  ];
  assert.deepEqual(
    onLoopback(sockets, (name) => name || undefined),
    [
      { host: '127.0.0.1', port: 3000 },
      { host: '::1', port: 5173, process: 'vite' },
      { host: '127.0.0.1', port: 8080, process: 'both' },
    ],
  );
});

describe('of this very process', () => {
  const listening = async (look: (port: number) => Promise<void> | void) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await look((server.address() as AddressInfo).port);
    server.close();
  };

  test('a port is found, with what runs', { skip: process.platform !== 'linux' && 'it is read from /proc here' }, () =>
    listening(async (port) => {
      const found = (await listeningPorts()).find((one) => one.port === port);
      assert.equal(found?.host, '127.0.0.1');
      assert.match(found?.process ?? '', /^node /);
    }),
  );

  test('lsof lists it', { skip: spawnSync('lsof', ['-v']).error && 'lsof is not installed' }, () =>
    listening((port) => {
      const text = execFileSync('lsof', [...LSOF_ARGUMENTS, '-a', '-p', String(process.pid)], { encoding: 'utf8' });
      assert.ok(
        parseLsof(text).some((one) => one.port === port && one.address === '127.0.0.1'),
        text,
      );
    }),
  );

  test('nothing is found on a system that is not known', async () => assert.deepEqual(await listeningPorts('aix'), []));
});
