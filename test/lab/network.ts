import { randomInt } from 'node:crypto';
import { command } from './command.ts';
import { Namespaces } from './namespaces.ts';

interface Interface {
  ifname: string;
  addr_info: { local?: string }[];
}

/**
 * The network between the machine and the clusters: a bridge in a network namespace of its own. The machine has one interface on
 * it; its own firewall and bridges are left alone.
 */
export class Network {
  /** The first three numbers of every address on it. */
  readonly prefix: string;
  readonly #namespaces: Namespaces;

  private constructor(prefix: string, namespaces: Namespaces) {
    this.prefix = prefix;
    this.#namespaces = namespaces;
  }

  /** @param run Names the machine's interface. */
  static async create(run: string, options: { directory: string; kube: string; attached: boolean }): Promise<Network> {
    const namespaces = await Namespaces.create({ name: `${run}-network`, ...options });
    await command('ip', ['link', 'add', run, 'type', 'veth', 'peer', 'name', 'machine', 'netns', String(namespaces.pid)]);
    const network = new Network(await claimSubnet(run), namespaces);
    await namespaces.shell(`
      ip link set lo up
      ip link add br0 type bridge
      ip addr add ${network.silentAddress}/24 dev br0
      ip link set br0 up
      ip link set machine master br0 up
      iptables -A INPUT -i br0 -j DROP
    `);
    return network;
  }

  get machineAddress(): string {
    return `${this.prefix}.1`;
  }

  /** Takes packets and never answers. */
  get silentAddress(): string {
    return `${this.prefix}.9`;
  }

  /** Plugs namespaces in, with an address of their own. */
  async join(other: Namespaces, name: string, address: string): Promise<void> {
    const here = String(this.#namespaces.pid);
    const there = String(other.pid);
    await command('ip', ['link', 'add', 'eth0', 'netns', there, 'type', 'veth', 'peer', 'name', name, 'netns', here]);
    await this.#namespaces.run(['ip', 'link', 'set', name, 'master', 'br0', 'up']);
    await other.shell(`
      ip link set lo up
      ip addr add ${address}/24 dev eth0
      ip link set eth0 up
      ip route add default via ${this.machineAddress}
    `);
  }
}

/** Gives the machine's interface an address in a subnet that nothing else on the machine has, another lab neither. */
async function claimSubnet(name: string): Promise<string> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const prefix = `10.213.${randomInt(256)}`;
    if ((await command('ip', ['route', 'show'])).includes(`${prefix}.`)) continue;
    await command('ip', ['addr', 'add', `${prefix}.1/24`, 'dev', name]);
    // The kernel lets two interfaces have one address: who then sees the other gives way.
    const interfaces: Interface[] = JSON.parse(await command('ip', ['-json', 'addr', 'show']));
    if (!interfaces.some((each) => each.ifname !== name && each.addr_info.some(({ local }) => local?.startsWith(`${prefix}.`)))) {
      await command('ip', ['link', 'set', name, 'up']);
      return prefix;
    }
    await command('ip', ['addr', 'del', `${prefix}.1/24`, 'dev', name]);
  }
  throw new Error('no subnet of 10.213.0.0/16 is free');
}
