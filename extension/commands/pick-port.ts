import type { Caravan } from '../caravan.ts';
import type { ListeningPort } from '../laptop/ports/listening-port.ts';
import { listeningPorts } from '../laptop/ports/listening-ports.ts';
import { ask, type Choice, pick, portProblem } from './ask.ts';

/** One of the ports of this computer where programs listen; where none is found, or another is meant, it is typed. */
export async function pickPort({ sites }: Caravan, title: string): Promise<ListeningPort> {
  const { listeners = [], proxy } = sites.laptop?.status ?? {};
  // The router's own ports lead into the network: out again through the same router they would go round.
  const own = new Set([...listeners.filter(({ state }) => state === 'open'), ...(proxy ? [proxy] : [])].map(({ port }) => port));
  const found = (await listeningPorts()).filter(({ port }) => !own.has(port));
  const choices = found.map((value) => ({ label: String(value.port), description: value.process ?? '', value }));
  const another: Choice<ListeningPort | undefined> = { label: '$(edit) Another Port…', value: undefined };
  const chosen =
    choices.length > 0
      ? await pick<ListeningPort | undefined>(title, [...choices, another], 'Where does your program listen?')
      : undefined;
  if (chosen) return chosen;
  const port = Number(await ask(title, 'The port on 127.0.0.1 where your program listens', '', portProblem));
  return { host: '127.0.0.1', port };
}
