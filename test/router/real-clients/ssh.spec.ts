/** OpenSSH: the server speaks first. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { findCommand } from '../../../scripts/system-packages.mjs';
import { freePort } from '../../support/free-port.ts';
import { Pair, run, whyNot } from './pair.ts';

const MIB = 1024 * 1024;
/** Where a server of root locks itself up, as Debian has it. */
const PRIVILEGE_SEPARATION = '/run/sshd';

const skip = await whyNot({
  sshd: 'openssh-server',
  ssh: 'openssh-client',
  scp: 'openssh-client',
  sftp: 'openssh-client',
  'ssh-keygen': 'openssh-client',
});

describe('SSH', { skip }, () => {
  let pair: Pair;
  let folder: string;
  let port: number;
  /** What all clients are told. */
  let options: string[];
  const place = `${userInfo().username}@127.0.0.1`;

  before(async () => {
    pair = await Pair.start();
    folder = join(pair.folder, 'ssh');
    await mkdir(folder);
    for (const key of ['host', 'user']) await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, key)]);
    if (process.getuid?.() === 0 && !existsSync(PRIVILEGE_SEPARATION)) mkdirSync(PRIVILEGE_SEPARATION);
    const server = await freePort();
    const settings = [
      'ListenAddress=127.0.0.1',
      `AuthorizedKeysFile=${join(folder, 'user.pub')}`,
      'PidFile=none',
      'UsePAM=no',
      'StrictModes=no',
      'Subsystem=sftp internal-sftp',
    ].flatMap((setting) => ['-o', setting]);
    const args = ['-D', '-e', '-f', '/dev/null', '-p', String(server), '-h', join(folder, 'host'), ...settings];
    await pair.serve(findCommand('sshd')!, args, server);
    port = await pair.carry('ssh', server);
    await writeFile(join(folder, 'known'), `[127.0.0.1]:${port} ${await readFile(join(folder, 'host.pub'), 'utf8')}`);
    options = ['-F', '/dev/null', '-i', join(folder, 'user'), '-o', `UserKnownHostsFile=${join(folder, 'known')}`];
    options.push('-o', 'StrictHostKeyChecking=yes', '-o', 'BatchMode=yes');
  });
  after(() => pair.stop());

  it('runs a command, with what it reads and what it prints', async () => {
    const output = await run(
      'ssh',
      ['-p', String(port), ...options, place, 'tr a-z A-Z; echo "$SSH_CONNECTION" | cut -d" " -f3'],
      {
        input: 'hello\n',
      },
    );
    assert.equal(output, 'HELLO\n127.0.0.1\n');
  });

  it('passes on how a command ended', async () => {
    await assert.rejects(run('ssh', ['-p', String(port), ...options, place, 'exit 7']), /ended with 7/);
  });

  for (const how of ['scp', 'sftp'] as const)
    it(`carries 10 MiB there and back with ${how}`, async () => {
      const [mine, theirs, back] = ['mine', 'theirs', 'back'].map((name) => join(folder, `${how}-${name}`)) as [
        string,
        string,
        string,
      ];
      const bytes = randomBytes(10 * MIB);
      await writeFile(mine, bytes);
      if (how === 'scp') {
        await run('scp', ['-q', '-P', String(port), ...options, mine, `${place}:${theirs}`]);
        await run('scp', ['-q', '-P', String(port), ...options, `${place}:${theirs}`, back]);
      } else {
        const input = `put ${mine} ${theirs}\nget ${theirs} ${back}\n`;
        await run('sftp', ['-q', '-P', String(port), ...options, '-b', '-', place], { input });
      }
      assert.ok(bytes.equals(await readFile(theirs)));
      assert.ok(bytes.equals(await readFile(back)));
    });
});
