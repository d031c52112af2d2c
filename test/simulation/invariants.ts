import type { RouterId } from '../../runtime/routing/types.ts';
import type { Network } from './network.ts';

/** What must hold once a network has come to rest. Throws with the first thing that does not. */
export function checkInvariants(network: Network): void {
  const { routers } = network;
  const distances = new Map(routers.map((id) => [id, distancesFrom(network, id)]));
  for (const here of routers) {
    const engine = network.engine(here);
    const truth = distances.get(here)!;
    for (const there of routers) {
      const path = engine.paths.get(there);
      if (path?.cost !== truth.get(there))
        throw new Error(`${here} → ${there}: the table says ${path?.cost}, the shortest path is ${truth.get(there)}`);
      if (path && there !== here) walk(network, here, there, truth.get(there)!);
    }
    checkAddresses(network, here, truth);
  }
}

/** A packet that follows the tables arrives, along a shortest path, and passes no router twice. */
function walk(network: Network, from: RouterId, to: RouterId, cost: number): void {
  let at = from;
  let spent = 0;
  const passed = new Set([from]);
  while (at !== to) {
    const link = network.engine(at).nextHop(to);
    const wire = link === undefined ? undefined : network.wires.get(link);
    if (!wire) throw new Error(`${from} → ${to}: the way ends at ${at}`);
    at = wire.ends[0] === at ? wire.ends[1] : wire.ends[0];
    spent += wire.cost;
    if (passed.has(at)) throw new Error(`${from} → ${to}: a packet comes to ${at} twice`);
    passed.add(at);
  }
  if (spent !== cost) throw new Error(`${from} → ${to}: a packet pays ${spent}, the shortest path costs ${cost}`);
}

/** Every address of a router that can be reached is known to be there, and no other. */
function checkAddresses(network: Network, here: RouterId, reachable: Map<RouterId, number>): void {
  const engine = network.engine(here);
  const known = new Set(
    engine
      .addresses()
      .flatMap((address) => engine.offersOf(address).flatMap(({ router, path }) => (path ? [`${address} at ${router}`] : []))),
  );
  for (const router of reachable.keys())
    for (const address of network.offers(router)) {
      const name = `${address} at ${router}`;
      if (!known.delete(name)) throw new Error(`${here} does not know ${name}`);
    }
  for (const name of known) throw new Error(`${here} believes in ${name}`);
}

/** Bellman–Ford over the wires as they are: slow, simple, and not the code under test. */
function distancesFrom(network: Network, from: RouterId): Map<RouterId, number> {
  const distances = new Map([[from, 0]]);
  for (let changed = true; changed;) {
    changed = false;
    for (const { ends, cost } of network.wires.values())
      for (const [near, far] of [ends, ends.toReversed()] as [RouterId, RouterId][]) {
        const through = (distances.get(near) ?? Infinity) + cost;
        if (through >= (distances.get(far) ?? Infinity)) continue;
        distances.set(far, through);
        changed = true;
      }
  }
  return distances;
}
