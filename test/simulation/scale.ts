// `npm run simulate -- --scale routers|addresses`: one large network, measured.
import { Network } from './network.ts';
import { Random } from './random.ts';

const CHANGES_MS = 10_000;

export const SCALES = { routers: manyRouters, addresses: manyAddresses };

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
  bytes: number;
  cpuMs: number;
  heapMb: number;
}

function measure(network: Network, run: () => void): Measured {
  const { messages, bytes } = network;
  const [began, cpu] = [network.timeline.now, process.cpuUsage()];
  run();
  const { user, system } = process.cpuUsage(cpu);
  const heapMb = process.memoryUsage().heapUsed / 2 ** 20;
  return {
    simulatedMs: network.timeline.now - began,
    messages: network.messages - messages,
    bytes: network.bytes - bytes,
    cpuMs: (user + system) / 1000,
    heapMb,
  };
}

function report(what: string, routers: number, changes: number, { simulatedMs, messages, bytes, cpuMs, heapMb }: Measured): void {
  console.log(what);
  console.log(
    `  ${simulatedMs} ms simulated; ${Math.round(messages / changes)} messages a change${bytes > 0 ? `, ${Math.round(bytes / changes / 1024)} KiB` : ''}`,
  );
  console.log(`  a router: ${(cpuMs / routers).toFixed(1)} ms CPU, ${(heapMb / routers).toFixed(2)} MiB (all share one heap)`);
}
