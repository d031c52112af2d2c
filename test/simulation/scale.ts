// `npm run simulate -- --scale routers|edges|addresses`: one large network, measured.
import { Network } from './network.ts';
import { Random } from './random.ts';

const CHANGES_MS = 10_000;

export const SCALES = { routers: manyRouters, edges: manyEdges, addresses: manyAddresses };

/** 1,000 interior routers that all start at once, then links that are cut one by one. */
function manyRouters(): void {
  const random = new Random(1);
  const network = new Network(random);
  const names = build(network, random, 1000);
  for (const name of names) network.offer(name, [`service-${name}`]);
  const cold = measure(network, () =>
    settle(network, () => names.every((name) => network.engine(name).addresses().length === names.length)),
  );
  report('1,000 routers start at once', names.length, 1, cold);

  network.countBytes = true;
  const wires = [...network.wires.values()].filter((_, at) => at % 100 === 99);
  const cuts = measure(network, () => {
    for (const wire of wires) {
      network.cut(wire);
      network.timeline.runUntil(network.timeline.now + 1000);
    }
  });
  report(`${wires.length} links are cut, one a second`, names.length, wires.length, cuts);
}

/** 10,000 edge routers with two uplinks each, on 20 interior ones. 100 of them offer something; an interior router goes. */
function manyEdges(): void {
  const random = new Random(3);
  const network = new Network(random);
  const names = build(network, random, 20);
  for (const name of names) network.offer(name, [`service-${name}`]);
  settle(network, () => names.every((name) => network.engine(name).addresses().length === names.length));
  const edges = Array.from({ length: 10_000 }, (_, at) => `edge${String(at).padStart(5, '0')}`);
  const know = (services: number) => edges.every((edge) => network.engine(edge).addresses().length === services);
  network.countBytes = true;

  const cold = measure(network, () => {
    for (const edge of edges) {
      network.addRouter(edge, 'edge');
      const first = random.integer(0, names.length - 1);
      for (const uplink of [first, (first + random.integer(1, names.length - 1)) % names.length])
        network.connect(edge, names[uplink]!, random.integer(1, 10));
    }
    settle(network, () => know(names.length));
  });
  report('10,000 edges start at once; every one knows every service', edges.length, edges.length, cold);

  const offering = measure(network, () => {
    for (const edge of edges.slice(0, 100)) {
      network.offer(edge, [`service-${edge}`]);
      network.timeline.runUntil(network.timeline.now + 10);
    }
    settle(network, () => know(names.length + 100));
  });
  report('100 of them offer a service, 100 a second', edges.length, 100, offering);

  const lost = names[0]!;
  const failover = measure(network, () => {
    for (const wire of network.wires.values()) if (wire.ends.includes(lost)) network.cut(wire);
    const isReachable = (edge: string, name: string) =>
      network
        .engine(edge)
        .offersOf(`service-${name}`)
        .some(({ cost }) => cost !== undefined);
    settle(network, () => edges.every((edge) => !isReachable(edge, lost) && isReachable(edge, names[1]!)));
  });
  report('an interior router goes; its edges go over to their other uplinks', edges.length, 1, failover);
}

/** 100,000 addresses at 50 routers, of which 100 change a second. */
function manyAddresses(): void {
  const random = new Random(2);
  const network = new Network(random);
  const names = build(network, random, 50);
  const offers = new Map(names.map((name) => [name, Array.from({ length: 2000 }, (_, at) => `${name}-${at}`)]));
  for (const [name, addresses] of offers) network.offer(name, addresses);
  const cold = measure(network, () =>
    settle(network, () => names.every((name) => network.engine(name).addresses().length === 100_000)),
  );
  report('100,000 addresses become known', names.length, 1, cold);

  network.countBytes = true;
  let changes = 0;
  const churn = measure(network, () => {
    for (let passed = 0; passed < CHANGES_MS; passed += 10) {
      const name = random.pick(names);
      const addresses = offers.get(name)!;
      addresses[random.integer(0, addresses.length - 1)] = `${name}-new-${changes++}`;
      network.offer(name, addresses);
      network.timeline.runUntil(network.timeline.now + 10);
    }
    settle(network, () => names.every((name) => network.engine(name).addresses().length === 100_000));
  });
  report(`100 changes a second for ${CHANGES_MS / 1000} s`, names.length, changes, churn);
}

/** A random tree, and as many further links. */
function build(network: Network, random: Random, count: number): string[] {
  const names = Array.from({ length: count }, (_, at) => `r${String(at).padStart(4, '0')}`);
  for (const name of names) network.addRouter(name);
  for (const [at, name] of names.slice(1).entries()) network.connect(name, names[random.integer(0, at)]!, random.integer(1, 10));
  for (const name of names) {
    const other = random.pick(names);
    if (other !== name) network.connect(name, other, random.integer(1, 10));
  }
  return names;
}

function settle(network: Network, isDone: () => boolean): void {
  const deadline = network.timeline.now + 60_000;
  while (!isDone()) {
    if (network.timeline.now > deadline) throw new Error('the network did not come to rest within a minute');
    network.timeline.runUntil(network.timeline.now + 50);
  }
}

interface Measured {
  simulatedMs: number;
  messages: number;
  /** Of those, between interior routers. */
  interior: number;
  bytes: number;
  cpuMs: number;
  heapMb: number;
}

function measure(network: Network, run: () => void): Measured {
  const { messages, interiorMessages, bytes } = network;
  const [began, cpu] = [network.timeline.now, process.cpuUsage()];
  run();
  const { user, system } = process.cpuUsage(cpu);
  const heapMb = process.memoryUsage().heapUsed / 2 ** 20;
  return {
    simulatedMs: network.timeline.now - began,
    messages: network.messages - messages,
    interior: network.interiorMessages - interiorMessages,
    bytes: network.bytes - bytes,
    cpuMs: (user + system) / 1000,
    heapMb,
  };
}

function report(
  what: string,
  routers: number,
  changes: number,
  { simulatedMs, messages, interior, bytes, cpuMs, heapMb }: Measured,
): void {
  console.log(what);
  console.log(
    `  ${simulatedMs} ms simulated; ${Math.round(messages / changes)} messages a change${bytes > 0 ? `, ${Math.round(bytes / changes / 1024)} KiB` : ''}`,
  );
  if (interior < messages) console.log(`  among interior routers: ${interior} messages`);
  console.log(`  a router: ${(cpuMs / routers).toFixed(1)} ms CPU, ${(heapMb / routers).toFixed(2)} MiB (all share one heap)`);
}
