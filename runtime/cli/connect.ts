import { ApiClient } from '../api/client.ts';
import { runningSites, socketPath } from '../api/sockets.ts';
import { CaravanError } from '../errors.ts';

/** The socket that is meant: the option's, else CARAVAN_SOCKET's, else that of the only site that runs. */
export async function findSocket(option: string | undefined): Promise<string> {
  const wanted = option || process.env['CARAVAN_SOCKET'];
  if (wanted) return /[/\\]/.test(wanted) ? wanted : socketPath(wanted);
  const running = await runningSites();
  const [only] = running;
  if (!only) throw new CaravanError('not-running', 'No site runs here: start one with "caravan run", or try "caravan demo".');
  if (running.length === 1) return only.socket;
  const names = running.map(({ name }) => name);
  const listed = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
  throw new CaravanError('bad-request', `${running.length} sites run here, ${listed}: choose one, such as --socket ${names[0]}`);
}

/** A client of the site that is meant. */
export async function connectToSite(option: string | undefined): Promise<ApiClient> {
  return ApiClient.overSocket(await findSocket(option));
}
