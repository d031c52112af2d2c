import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { commandPath, whyWithout } from '../commands.ts';
import { freePort } from '../ports.ts';
import { Program } from '../program.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { CARRIES_BYTES, NO_DATAGRAMS, type Peer } from './peer.ts';

/** What sshd wants to be there when root starts it; Debian's own unit makes it the same way. */
const PRIVILEGE_SEPARATION_FOLDER = '/run/sshd';

/** `ssh -L` to an sshd of the bench's own, with keys that are thrown away. */
export const sshForward: Peer = {
  name: 'ssh',
  title: 'ssh -L',
  whyNot: (protocol) => {
    if (protocol === 'udp') return NO_DATAGRAMS;
    return protocol === 'tcp' || protocol === 'amqp' ? whyWithout('ssh', 'sshd') : CARRIES_BYTES;
  },
  start: async ({ port, between }, scope) => {
    const folder = await temporaryFolder(scope);
    const [hostKey, userKey] = [join(folder, 'host'), join(folder, 'user')] as const;
    for (const key of [hostKey, userKey])
      await scope.use(new Program(`${commandPath('ssh')}-keygen`, ['-q', '-t', 'ed25519', '-N', '', '-f', key])).output();
    if (process.getuid?.() === 0) await mkdir(PRIVILEGE_SEPARATION_FOLDER, { recursive: true, mode: 0o755 });
    const own = await freePort();
    const config = join(folder, 'sshd_config');
    await writeFile(
      config,
      `Port ${own}
ListenAddress 127.0.0.1
HostKey ${hostKey}
AuthorizedKeysFile ${userKey}.pub
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
UseDNS no
PidFile none
AllowTcpForwarding local
`,
    );
    await scope.use(new Program(commandPath('sshd'), ['-D', '-e', '-f', config])).opens(own);
    const way = (await between?.(own)) ?? own;
    const [type, key] = (await readFile(`${hostKey}.pub`, 'utf8')).split(' ');
    await writeFile(join(folder, 'known_hosts'), `[127.0.0.1]:${way} ${type} ${key}\n`);
    const near = await freePort();
    const options = { UserKnownHostsFile: join(folder, 'known_hosts'), BatchMode: 'yes', ExitOnForwardFailure: 'yes' };
    const args = [
      '-N',
      ['-F', 'none'],
      ['-i', userKey],
      ['-p', String(way)],
      ['-L', `127.0.0.1:${near}:127.0.0.1:${port}`],
      Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
      `${userInfo().username}@127.0.0.1`,
    ];
    await scope.use(new Program(commandPath('ssh'), args.flat())).opens(near);
    return near;
  },
};
