/** PostgreSQL and its own clients. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { findCommand } from '../../../scripts/system-packages.mjs';
import { TestAuthority } from '../../support/certificates.ts';
import { freePort } from '../../support/free-port.ts';
import { until } from '../../support/until.ts';
import { Pair, run, whyNot } from './pair.ts';

/** Where Debian has each version's programs. */
const VERSIONS = '/usr/lib/postgresql';
const ROWS = 50_000;

const skip = await whyNot({ psql: 'postgresql-client', pgbench: 'postgresql-contrib', pg_ctlcluster: 'postgresql' });

describe('PostgreSQL', { skip }, () => {
  let pair: Pair;
  let folder: string;
  let port: number;

  before(async () => {
    pair = await Pair.start();
    folder = await mkdtemp(join(tmpdir(), 'caravan-postgresql-'));
    // It runs as nobody who may do everything.
    const owner = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};
    const own = (path: string) => owner.uid !== undefined && chownSync(path, owner.uid, owner.gid);
    own(folder);
    const bin = join(VERSIONS, readdirSync(VERSIONS).sort().at(-1)!, 'bin');
    const data = join(folder, 'data');
    const options = { ...owner, cwd: folder };
    await run(join(bin, 'initdb'), ['-D', data, '-A', 'trust', '-U', 'postgres', '--locale=C.UTF-8', '--no-sync'], options);
    const authority = await TestAuthority.make();
    const { certificate, key } = await authority.issue(['localhost']);
    await writeFile(join(folder, 'ca.pem'), authority.certificate);
    await writeFile(join(data, 'server.crt'), certificate);
    await writeFile(join(data, 'server.key'), key, { mode: 0o600 });
    own(join(data, 'server.key'));
    const server = await freePort();
    const settings = ['listen_addresses=127.0.0.1', 'ssl=on', 'fsync=off', `unix_socket_directories=${folder}`];
    await pair.serve(
      join(bin, 'postgres'),
      ['-D', data, '-p', String(server), ...settings.flatMap((setting) => ['-c', setting])],
      server,
      // It would wait for clients else.
      { ...options, endsWith: 'SIGINT' },
    );
    port = await pair.carry('postgresql', server);
  });
  after(async () => {
    await pair.stop();
    if (folder) await rm(folder, { recursive: true });
  });

  function psql(connection: string, sql: string, input?: string): Promise<string> {
    const args = [`host=localhost hostaddr=127.0.0.1 port=${port} user=postgres ${connection}`, '-XAtq', '-v', 'ON_ERROR_STOP=1'];
    return run('psql', [...args, '-c', sql], input === undefined ? {} : { input });
  }

  it('takes rows from psql and gives them back', async () => {
    await psql('sslmode=disable', 'create table numbers (number int)');
    const rows = Array.from({ length: ROWS }, (_, at) => `${at}\n`).join('');
    await psql('sslmode=disable', 'copy numbers from stdin', rows);
    assert.equal(await psql('sslmode=disable', 'copy (select number from numbers order by number) to stdout'), rows);
  });

  it('is asked by psql in TLS from end to end, with a certificate that is verified', async () => {
    const ask = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()';
    assert.equal(await psql('sslmode=require', ask), 't\n');
    assert.equal(await psql(`sslmode=verify-full sslrootcert=${join(folder, 'ca.pem')}`, ask), 't\n');
  });

  it('has all transactions of pgbench', async () => {
    const args = ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', 'postgres'];
    await run('pgbench', ['-i', '-q', ...args]);
    const output = await run('pgbench', ['-n', '-c', '8', '-t', '50', ...args]);
    assert.match(output, /number of transactions actually processed: 400\/400/);
    assert.match(output, /number of failed transactions: 0 /);
  });

  it('cancels a statement when its client asks for that, on a connection of its own', async () => {
    const args = [`host=127.0.0.1 port=${port} user=postgres application_name=sleeper`, '-XAtq', '-c', 'select pg_sleep(60)'];
    const sleeper = spawn(findCommand('psql')!, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    sleeper.stderr.on('data', (text) => (errors += String(text)));
    const ended = once(sleeper, 'close');
    const sleeps = "select count(*) from pg_stat_activity where application_name = 'sleeper' and wait_event = 'PgSleep'";
    await until('it to sleep', async () => (await psql('sslmode=disable', sleeps)) === '1\n');
    sleeper.kill('SIGINT');
    await ended;
    assert.match(errors, /canceling statement due to user request/);
  });
});

function idOf(option: '-u' | '-g'): number {
  return Number(execFileSync('id', [option, 'postgres']).toString());
}
