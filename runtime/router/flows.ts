import { randomInt } from 'node:crypto';
import { type Log, sparing } from '../log.ts';
import type { Flow } from '../protocols/listener.ts';
import { FlowTable, type FlowUse, newUse } from '../protocols/udp/flow-table.ts';
import { openUdpTarget, type UdpTarget } from '../protocols/udp/udp-target.ts';
import { type Place, type RouterId, routerAt } from '../routing/types.ts';
import type { Arrived, Receiver } from './datagrams.ts';
import type { Router } from './router.ts';
import type { PickedServer } from './servers.ts';

/** Flows that end at servers here, of all routers together. */
const MAX_FAR_FLOWS = 20_000;

/** What the system says where a server is not there, and not merely short of room for a datagram. */
const GONE = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EACCES', 'ENOTFOUND']);

/** Where a flow goes, for as long as nothing in the network changes. */
interface Course {
  epoch: number;
  /** The one destination of an anycast flow. */
  destination?: RouterId;
  send: (datagram: Buffer) => void;
}

interface FarFlow extends FlowUse {
  /** Where it began. An edge may have another uplink by now. */
  from: Place;
  back: (datagram: Buffer) => void;
  targets: { target: UdpTarget; server: PickedServer }[];
}

/** Flows of datagrams: those that begin here, with a client, and those that end here, at servers. */
export class Flows {
  readonly #router: Router;
  readonly #log: Log;
  /** Answers of flows that began here, by number. */
  readonly #answers = new Map<number, (datagram: Buffer) => void>();
  readonly #far: FlowTable<FarFlow>;
  /** Begins anywhere: what was on its way to an earlier life of this router is not taken for an answer to this one. */
  #count = randomInt(2 ** 40);
  /** Counts changes of the network: what was chosen before one is looked at again. */
  #epoch = 0;

  constructor(router: Router, log: Log) {
    this.#router = router;
    this.#log = sparing(log);
    this.#far = new FlowTable<FarFlow>(MAX_FAR_FLOWS, {
      end: endFar,
      full: () =>
        this.#log.warn(
          'servers here have as many flows of datagrams as a router takes; the one that was silent longest is ended',
          {
            flows: MAX_FAR_FLOWS,
          },
        ),
    });
  }

  get size(): number {
    return this.#answers.size + this.#far.size;
  }

  networkChanged(): void {
    this.#epoch++;
  }

  /**
   * A flow to one server of an address, chosen as a stream's is, and to another when that is gone; where the address is multicast, to
   * all of them. `answer` gets what comes back.
   */
  open(address: string, port: number, answer: (datagram: Buffer) => void): Flow {
    const id = ++this.#count;
    this.#answers.set(id, answer);
    let course: Course | undefined;
    const leave = () => {
      if (course?.destination !== undefined) this.#router.balancer.ended(address, course.destination);
    };
    return {
      send: (datagram) => {
        if (course?.epoch !== this.#epoch) {
          const next = this.#plot(address, port, id, course?.destination);
          if (next.destination !== course?.destination) {
            leave();
            if (next.destination !== undefined) this.#router.balancer.started(address, next.destination);
          }
          course = next;
        }
        course.send(datagram);
      },
      close: () => {
        leave();
        course = undefined;
        this.#answers.delete(id);
      },
    };
  }

  /** Takes what arrives of flows with one header. */
  receiver(arrived: Arrived): Receiver {
    const { from, address, port } = arrived;
    if (address === undefined) return (flow, payload) => this.#answers.get(flow)?.(payload);
    const flows = `${routerAt(from)} ${address} ${port} `;
    return (flow, payload) => {
      const key = flows + flow;
      const far = this.#far.get(key) ?? this.#begin(key, flow, arrived);
      if (!far) return;
      this.#far.asked(key, far);
      if (far.from.router !== from.router) Object.assign(far, this.#wayBack(from, flow));
      for (const { target } of far.targets) target.send(payload);
    };
  }

  close(): void {
    this.#far.close();
    this.#answers.clear();
  }

  #plot(address: string, port: number, flow: number, current: RouterId | undefined): Course {
    const epoch = this.#epoch;
    const { engine, datagrams, balancer } = this.#router;
    const from = engine.place;
    if (this.#router.distribution(address, port) === 'multicast') {
      const members = this.#router.destinations(address, port).map(({ place }) => place);
      return { epoch, send: datagrams.sender(members, flow, { from, address, port, every: true }) };
    }
    const destinations = this.#router.destinations(address, port);
    const chosen =
      destinations.find(({ key }) => key === current) ??
      balancer.choose(address, this.#router.distribution(address, port), destinations);
    if (!chosen) return { epoch, send: () => {} };
    return { epoch, destination: chosen.key, send: datagrams.sender([chosen.place], flow, { from, address, port }) };
  }

  #begin(key: string, flow: number, { from, address, port, every }: Arrived): FarFlow | undefined {
    const picked = this.#router.servers.pick(address!, port!, every === true);
    if (picked.length === 0) return undefined;
    const far: FarFlow = { ...newUse(port!), ...this.#wayBack(from, flow), targets: [] };
    far.targets = picked.map((server) => ({
      server,
      target: openUdpTarget(server.target, {
        answer: (datagram) => {
          this.#far.answered(key, far);
          far.back(datagram);
        },
        // The next datagram begins a new flow, with another server where there is one: here, or at another site.
        failed: (error) => {
          this.#log.debug('a server takes no datagrams', { server: server.target.name, reason: error.message });
          server.release();
          if (GONE.has(error.code ?? '')) server.refused();
          far.targets = far.targets.filter((other) => other.server !== server);
          if (far.targets.length === 0) this.#far.forget(key, far);
        },
      }),
    }));
    this.#far.add(key, far);
    return far;
  }

  #wayBack(from: Place, flow: number): Pick<FarFlow, 'from' | 'back'> {
    return { from, back: this.#router.datagrams.sender([from], flow, { from: this.#router.engine.place }) };
  }
}

function endFar({ targets }: FarFlow): void {
  for (const { target, server } of targets) {
    target.close();
    server.release();
  }
}
