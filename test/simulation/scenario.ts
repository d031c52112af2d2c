import { checkInvariants, checkMulticast } from './invariants.ts';
import { FAIR, type Multicast, Network } from './network.ts';
import { Random } from './random.ts';

/** How long things happen, and how long after that the network may take to come to rest. Simulated milliseconds. */
const STORM_MS = 60_000;
const QUIET_MS = 70_000;
/** Messages for one change on one wire, at most: a flood passes every wire at most once in each direction, and what answers it. */
const MESSAGES_PER_CHANGE_AND_WIRE = 8;

export interface Outcome {
  routers: number;
  changes: number;
  messages: number;
}

/**
 * One network, from a seed: random interior and edge routers, wires and costs; a minute of cuts, repairs, restarts, changed costs and
 * services, over wires that lose, double and reorder the routers' messages; then quiet, after which every invariant must hold. What is
 * multicast meanwhile comes to each member at most once.
 *
 * @throws {Error} what did not hold
 */
export function runScenario(seed: number): Outcome {
  const random = new Random(seed);
  const network = new Network(random);
  const count = random.integer(2, 16);
  const names = Array.from({ length: count }, (_, at) => `r${String(at).padStart(2, '0')}`);
  for (const name of names) network.addRouter(name);
  for (const [at, name] of names.slice(1).entries()) network.connect(name, names[random.integer(0, at)]!, random.integer(1, 10));
  for (let extra = random.integer(0, count); extra > 0; extra--) connectAny();
  const edges = Array.from({ length: random.integer(0, 4) }, (_, at) => `edge${at}`);
  for (const edge of edges) {
    network.addRouter(edge, 'edge');
    for (let uplinks = random.integer(1, 2); uplinks > 0; uplinks--) hang(edge);
  }
  const everyone = [...names, ...edges];
  for (const name of everyone) offerAny(name);
  network.timeline.runUntil(1000);

  network.weather = {
    loss: random.next() * 0.1,
    duplication: random.next() * 0.1,
    leastDelay: 1,
    mostDelay: random.integer(1, 500),
  };
  let changes = 0;
  const sent: Multicast[] = [];
  for (let at = 1000; at < STORM_MS; at += random.integer(10, 3000)) {
    network.timeline.runUntil(at);
    change();
    changes++;
    const from = random.pick(everyone);
    sent.push(network.multicast(from, network.members(from, 'alpha')));
  }
  network.weather = FAIR;
  network.timeline.runUntil(STORM_MS + QUIET_MS);
  checkInvariants(network);
  for (const from of everyone) checkMulticast(network, from, 'beta');
  for (const { received } of sent)
    if (new Set(received).size !== received.length) throw new Error(`a member got a multicast twice: ${received.join()}`);

  const wires = network.wiresEver;
  const floods = changes + everyone.length + wires;
  // Besides the floods: digests, every 30 s on each wire in both directions, with what they bring to light.
  const beats = wires * 2 * (1 + (STORM_MS + QUIET_MS) / 30_000) * (1 + 2 * everyone.length);
  const bound = floods * MESSAGES_PER_CHANGE_AND_WIRE * wires + beats;
  if (network.messages > bound)
    throw new Error(`${network.messages} messages were sent, more than the bound of ${Math.round(bound)}`);
  return { routers: count, changes, messages: network.messages };

  function change(): void {
    const all = [...network.wires.values()];
    const wire = all.length > 0 ? random.pick(all) : undefined;
    switch (random.integer(0, 7)) {
      case 0:
        if (wire) network.cut(wire);
        break;
      case 1:
        connectAny();
        break;
      case 2:
        if (wire) network.setCost(wire, random.integer(1, 20));
        break;
      case 3:
        network.restart(random.pick(everyone), random.integer(-100_000, 1000));
        break;
      case 4:
        if (edges.length > 0) hang(random.pick(edges));
        break;
      default:
        offerAny(random.pick(everyone));
    }
  }

  function connectAny(): void {
    const [a, b] = [random.pick(names), random.pick(names)];
    if (a !== b) network.connect(a, b, random.integer(1, 10));
  }

  function hang(edge: string): void {
    network.connect(edge, random.pick(names), random.integer(1, 10));
  }

  function offerAny(name: string): void {
    network.offer(
      name,
      ['alpha', 'beta', 'gamma', 'delta'].filter(() => random.chance(0.5)),
    );
  }
}
