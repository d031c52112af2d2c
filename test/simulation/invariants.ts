import type { Place, RouterId } from '../../runtime/routing/types.ts';
import type { Network } from './network.ts';

/** What must hold once a network has come to rest. Throws with the first thing that does not. */
export function checkInvariants(network: Network): void {
  const { routers } = network;
  const distances = new Map(routers.map((id) => [id, distancesFrom(network, id)]));
  for (const here of routers) {
    const engine = network.engine(here);
    const truth = distances.get(here)!;
    for (const there of routers.filter((id) => !network.isEdge(id))) {
      const path = engine.paths.get(there);
      if (path?.cost !== truth.get(there))
        throw new Error(`${here} → ${there}: the table says ${path?.cost}, the shortest path is ${truth.get(there)}`);
      if (path && there !== here) walk(network, here, { router: there }, truth.get(there)!);
    }
    checkAddresses(network, here, truth);
  }
}

/** A packet that follows the tables arrives, along a shortest path, and passes no router twice. */
function walk(network: Network, from: RouterId, to: Place, cost: number): void {
  const end = to.edge ?? to.router;
  let at = from;
  let spent = 0;
  const passed = new Set([from]);
  while (at !== end) {
    const link = network.engine(at).nextHop(to);
    const wire = link === undefined ? undefined : network.wires.get(link);
    if (!wire) throw new Error(`${from} → ${end}: the way ends at ${at}`);
    at = wire.ends[0] === at ? wire.ends[1] : wire.ends[0];
    spent += wire.cost;
    if (passed.has(at)) throw new Error(`${from} → ${end}: a packet comes to ${at} twice`);
    if (at !== end && network.isEdge(at)) throw new Error(`${from} → ${end}: a packet passes the edge ${at}`);
    passed.add(at);
  }
  if (spent !== cost) throw new Error(`${from} → ${end}: a packet pays ${spent}, the shortest path costs ${cost}`);
}

/** What one router sends to all places of an address comes to each of them once, and no link carries it twice. */
export function checkMulticast(network: Network, from: RouterId, address: string): void {
  const members = network.members(from, address);
  const multicast = network.multicast(from, members);
  network.timeline.runUntil(network.timeline.now + 1000);
  const wanted = members.map(({ router, edge }) => edge ?? router).sort();
  if (multicast.received.sort().join() !== wanted.join())
    throw new Error(`${from} sends to ${wanted.join()}; it comes to ${multicast.received.join()}`);
  const twice = multicast.copies.find((copy, at) => multicast.copies.indexOf(copy) !== at);
  if (twice !== undefined) throw new Error(`${from} sends to ${wanted.join()}; two copies pass ${twice}`);
}

/** Every address of a router that can be reached is known to be there, and no other. */
function checkAddresses(network: Network, here: RouterId, reachable: Map<RouterId, number>): void {
  const engine = network.engine(here);
  const known = new Set(
    engine.addresses().flatMap((address) =>
      engine.offersOf(address).flatMap(({ router, place, cost }) => {
        if (cost === undefined) return [];
        if (router.id !== here) walk(network, here, place, cost);
        return [`${address} at ${router.id}`];
      }),
    ),
  );
  for (const router of reachable.keys())
    for (const address of network.offers(router)) {
      const name = `${address} at ${router}`;
      if (!known.delete(name)) throw new Error(`${here} does not know ${name}`);
    }
  for (const name of known) throw new Error(`${here} believes in ${name}`);
}

/**
 * Bellman–Ford over the wires as they are: slow, simple, and not the code under test. Nothing passes an edge, and to and from an edge
 * leads only the uplink that it chose: which one that is, is its own affair.
 */
function distancesFrom(network: Network, from: RouterId): Map<RouterId, number> {
  const distances = new Map([[from, 0]]);
  const uplinks = new Map(network.routers.filter((id) => network.isEdge(id)).map((id) => [id, network.uplink(id)]));
  for (let changed = true; changed;) {
    changed = false;
    for (const { id, ends, cost } of network.wires.values())
      for (const [near, far] of [ends, ends.toReversed()] as [RouterId, RouterId][]) {
        if (ends.some((end) => uplinks.has(end) && uplinks.get(end) !== id)) continue;
        if (uplinks.has(near) && near !== from) continue;
        const through = (distances.get(near) ?? Infinity) + cost;
        if (through >= (distances.get(far) ?? Infinity)) continue;
        distances.set(far, through);
        changed = true;
      }
  }
  return distances;
}
