import { Writable, type Duplex } from 'node:stream';
import { StreamError } from '../link/reason.ts';
import type { MessageNetwork, ReceivingRouter, Served } from '../protocols/amqp/message-network.ts';
import { membersOf } from '../routing/multicast.ts';
import type { Offer, Place } from '../routing/types.ts';
import { MAX_CHANNEL_MEMBERS } from './channels.ts';
import type { Router } from './router.ts';

/** What hubs speak with one another on their channels. */
export const AMQP_CHANNEL = 'amqp';
/** Receivers come and go in crowds: what they change is told together. Milliseconds. */
const TELL_AFTER_MS = 20;
/** Separates the two parts of a place, as hubs know it: not in ids, and fine in the addresses that clients reply to. */
const EDGE_MARK = '+';

/** The network as AMQP's hub sees it: addresses with receivers are offers, and hubs talk on channels. */
export class AmqpNetwork implements MessageNetwork {
  readonly #router: Router;
  readonly #served = new Map<string, Served>();
  readonly #changed: () => void;
  #telling = false;

  /** `changed`: what `offers` says has changed. */
  constructor(router: Router, changed: () => void) {
    this.#router = router;
    this.#changed = changed;
  }

  get router(): string {
    return nameOf(this.#router.engine.place);
  }

  /**
   * What this router offers, with the addresses that somebody here receives from: clients, and the servers of connectors. Nobody connects at
   * a port to what only clients receive from: theirs is 0.
   */
  offers(connected: readonly Offer[]): Offer[] {
    const named = (address: string) =>
      Array.from({ length: this.#served.get(address)?.receivers ?? 0 }, (_, at) => `receiver ${at + 1}`);
    const known = new Set(connected.map(({ address }) => address));
    const received = [...this.#served].filter(([address]) => !known.has(address));
    return [
      ...connected.map((offer): Offer => {
        if (offer.type !== 'amqp') return offer;
        return { ...offer, ports: offer.ports.map((port) => ({ ...port, targets: named(offer.address) })) };
      }),
      ...received.map(([address, { distribution }]): Offer => ({
        address,
        type: 'amqp',
        distribution,
        ports: [{ port: 0, targets: named(address) }],
      })),
    ];
  }

  serve(address: string, served: Served): void {
    if (served.receivers > 0) this.#served.set(address, served);
    else this.#served.delete(address);
    if (this.#telling) return;
    this.#telling = true;
    setTimeout(() => {
      this.#telling = false;
      this.#changed();
    }, TELL_AFTER_MS).unref();
  }

  destinations(address: string): ReceivingRouter[] {
    const { engine } = this.#router;
    const offers = engine.offersOf(address).filter(({ offer, router }) => {
      return offer.type === 'amqp' && receiversOf(offer) > 0 && router.id !== engine.self.id;
    });
    return membersOf(offers).map(({ offer, place, router, cost }) => ({
      router: nameOf(place),
      site: router.site.name,
      cost: Math.max(1, cost),
      receivers: receiversOf(offer),
    }));
  }

  onChange(changed: () => void): void {
    this.#router.onChange(changed);
  }

  connect(router: string, address: string): Promise<Duplex> {
    return this.#router.channels.open(placeOf(router), AMQP_CHANNEL, address);
  }

  async multicast(routers: readonly string[], address: string): Promise<Writable> {
    const places = routers.map(placeOf);
    const groups = Array.from({ length: Math.ceil(places.length / MAX_CHANNEL_MEMBERS) }, (_, at) =>
      places.slice(at * MAX_CHANNEL_MEMBERS, (at + 1) * MAX_CHANNEL_MEMBERS),
    );
    const opened = await Promise.allSettled(groups.map((group) => this.#openMulticast(group, address)));
    const streams = opened.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    const failed = opened.find((outcome) => outcome.status === 'rejected');
    if (failed) {
      for (const stream of streams) stream.destroy();
      throw failed.reason as Error;
    }
    return streams.length === 1 ? streams[0]! : together(streams);
  }

  /** One whose members are all reached; it fails as soon as one is lost. */
  async #openMulticast(places: Place[], address: string): Promise<Duplex> {
    const stream = await this.#router.channels.openMulticast(places, AMQP_CHANNEL, address);
    const lost = (members: Place[]) =>
      stream.destroy(
        new StreamError({ code: 'link-lost', message: `${members.map(nameOf).join(', ')} cannot be reached any more` }),
      );
    stream.on('lost', lost);
    if (stream.lostMembers.length > 0) lost(stream.lostMembers);
    return stream;
  }
}

/** Writes everything to all of these, no faster than the slowest takes it. */
function together(streams: readonly Duplex[]): Writable {
  const all = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const written = streams.map(
        (stream) =>
          new Promise<void>((resolve, reject) => {
            stream.write(chunk, (error) => (error ? reject(error) : resolve()));
          }),
      );
      void tell(Promise.all(written), done);
    },
    final(done) {
      for (const stream of streams) stream.end();
      done();
    },
    destroy(error, done) {
      for (const stream of streams) stream.destroy(error ?? undefined);
      done(error);
    },
  });
  for (const stream of streams) stream.on('error', (error) => all.destroy(error));
  return all;
}

async function tell(outcome: Promise<unknown>, done: (error?: Error) => void): Promise<void> {
  try {
    await outcome;
    done();
  } catch (error) {
    done(error as Error);
  }
}

function receiversOf({ ports }: Offer): number {
  return ports.reduce((sum, { targets }) => sum + targets.length, 0);
}

function nameOf({ router, edge }: Place): string {
  return edge === undefined ? router : `${router}${EDGE_MARK}${edge}`;
}

function placeOf(name: string): Place {
  const [router, edge] = name.split(EDGE_MARK) as [string, string?];
  return { router, ...(edge !== undefined && { edge }) };
}
