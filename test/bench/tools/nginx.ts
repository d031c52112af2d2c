import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commandPath } from '../commands.ts';
import { freePort } from '../ports.ts';
import { Program } from '../program.ts';
import type { Scope } from '../scope.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** A file of this size is at `LARGE_PATH`. Bytes. */
const LARGE_BYTES = 1024 * 1024;
export const LARGE_PATH = '/large';

/** The port of a web server that is never what a measurement waits for: one worker, a few bytes from memory for every path. */
export async function startNginx(scope: Scope): Promise<number> {
  const folder = await temporaryFolder(scope);
  await mkdir(join(folder, 'files'));
  await writeFile(join(folder, 'files', LARGE_PATH), Buffer.alloc(LARGE_BYTES));
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  // As root its worker would be another user, who may not look into a temporary folder.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  await writeFile(
    file,
    `${user}
daemon off;
master_process on;
worker_processes 1;
error_log stderr crit;
pid ${folder}/pid;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  sendfile on;
  tcp_nodelay on;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { default_type text/plain; return 200 "hello, world"; }
    location = ${LARGE_PATH} { root ${folder}/files; }
  }
}
`,
  );
  await scope.use(new Program(commandPath('nginx'), ['-p', folder, '-e', 'stderr', '-c', file])).opens(port);
  return port;
}
