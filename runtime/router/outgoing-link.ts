import type { Duplex } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { LinkState, LinkStatus } from '../api/types.ts';
import { sentence } from '../errors.ts';
import { endOf } from '../identity/validity.ts';
import { dialProblem } from '../link/dial-problem.ts';
import { dialLink, type LinkCredentials } from '../link/dial.ts';
import { type Endpoint, endpointName } from '../link/endpoint.ts';
import { Link } from '../link/link.ts';
import type { Log } from '../log.ts';
import type { RouterInfo } from '../routing/types.ts';
import type { LinkConfig } from './config.ts';
import { linkEvents } from './link-events.ts';
import { takeWay, wayName, waysOf } from './link-ways.ts';
import type { Router } from './router.ts';

/** Between attempts; grows by half from the first to the last, with a random part so that many do not come at once. Milliseconds. */
const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 10_000;
/**
 * How long one attempt may take: little at first, since a connection that was on its way to a router that has just gone may hang where a
 * new one finds the next; more later, for paths that are slow. Milliseconds.
 */
const FIRST_DIAL_MS = 2000;
const LAST_DIAL_MS = 10_000;
/** Through an API server, which may first ask a program for credentials. Milliseconds. */
const FORWARDED_DIAL_MS = 30_000;
let lives = 0;

/** Reaches a port that lies behind a Kubernetes API server. */
export type PortForwardDial = (to: NonNullable<LinkConfig['portForward']>, signal: AbortSignal) => Promise<Duplex>;

/** A link that this site dials, and dials again whenever it is lost, until it is closed. */
export class OutgoingLink {
  config: LinkConfig;
  readonly #router: Router;
  readonly #log: Log;
  readonly #changed: () => void;
  readonly #portForward: PortForwardDial | undefined;
  readonly #ended = new AbortController();
  #link: Link | undefined;
  #id = '';
  #peer: RouterInfo | undefined;
  #state: LinkState = 'connecting';
  #since = new Date();
  /** Of the ways: the next one's when this one has failed. */
  #turn = 0;
  #endpoint = '';
  /** The HTTP proxy that leads there. */
  #proxy: string | undefined;
  /** Of the certificate that the next dial shows. ISO 8601. */
  #certificateEnds: string;
  #message: { text: string; time: Date } | undefined;

  constructor(
    config: LinkConfig,
    router: Router,
    options: { log: Log; changed: () => void; portForward?: PortForwardDial | undefined },
  ) {
    this.config = config;
    this.#router = router;
    this.#log = options.log;
    this.#changed = options.changed;
    this.#portForward = options.portForward;
    this.#certificateEnds = endOf(config.credentials.certificate);
    void this.#keepUp();
  }

  status(site: string): LinkStatus {
    const link = this.#state === 'up' ? this.#link : undefined;
    return {
      id: this.config.name,
      site,
      ...(this.#peer && { peer: this.#peer.site.name }),
      peerId: this.config.siteId,
      cost: this.config.cost,
      state: this.#state,
      direction: 'outgoing',
      ...this.#way,
      certificateEnds: this.#certificateEnds,
      ...(this.#message && !link && { message: this.#message.text, messageTime: this.#message.time.toISOString() }),
      since: this.#since.toISOString(),
      ...(link?.rttMs !== undefined && { rttMs: link.rttMs }),
      ...(link && this.#router.engine.isStandby(this.#id) && { standby: true as const }),
      ...(link && { bytesIn: link.bytesIn, bytesOut: link.bytesOut, streams: link.streams }),
    };
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  /** Takes them for the next dial; what the link carries now goes on. */
  setCredentials(credentials: LinkCredentials): void {
    this.config = { ...this.config, credentials };
    this.#certificateEnds = endOf(credentials.certificate);
    this.#changed();
  }

  /** Changes the cost without touching what the link carries. */
  setCost(cost: number): void {
    this.config = { ...this.config, cost };
    if (!this.#link || !this.isUp) return;
    this.#link.sendCost(cost);
    this.#router.setCost(this.#id, cost);
    this.#changed();
  }

  close(message: string): void {
    this.#ended.abort(new Error(message));
    this.#link?.close({ code: 'closing', message });
  }

  async #keepUp(): Promise<void> {
    const { signal } = this.#ended;
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        // Back to quick retries once a link has been up: what was lost a moment ago is often back the next.
        if (await this.#session(attempt)) attempt = 0;
        else this.#turn++;
      } catch (error) {
        this.#turn++;
        this.#failed(sentence(error));
      }
      const pause = growing(FIRST_RETRY_MS, LAST_RETRY_MS, attempt) * (0.75 + Math.random() / 2);
      await setTimeout(pause, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** One life of the link, from dialling to its loss. @returns whether it was ever up */
  async #session(attempt: number): Promise<boolean> {
    const { credentials, siteId, cost, name } = this.config;
    const ways = waysOf(this.config);
    const way = ways[this.#turn % ways.length]!;
    this.#endpoint = wayName(way);
    this.#proxy = undefined;
    if (Date.parse(this.#certificateEnds) <= Date.now()) throw new Error(hasEnded(this.#certificateEnds));
    const within = way.portForward ? FORWARDED_DIAL_MS : growing(FIRST_DIAL_MS, LAST_DIAL_MS, attempt);
    const late = AbortSignal.timeout(within);
    const signal = AbortSignal.any([this.#ended.signal, late]);
    const route = await takeWay(way, this.#portForward, signal);
    signal.throwIfAborted();
    const through = (proxy: Endpoint | undefined) => (this.#proxy = proxy && endpointName(proxy));
    const socket = await dialLink({ ...route, credentials, siteId, signal, through }).catch((error: unknown) => {
      throw new Error(late.aborted ? `it does not answer (${(within / 1000).toFixed(0)} s)` : dialProblem(error), {
        cause: error,
      });
    });
    return new Promise((resolve) => {
      // A name of its own for each life: the end of an earlier one must not be taken for the end of this.
      const id = `out:${name}:${++lives}`;
      const hello = this.#router.hello(cost);
      const events = linkEvents(this.#router, {
        id,
        link: () => link,
        siteId,
        cost: () => this.config.cost,
        up: (peer) => {
          this.#peer = peer;
          this.#become('up');
          this.#log.info(`link to ${peer.site.name} is up`, { link: name, ...this.#way });
        },
        closed: (reason) => {
          const wasUp = this.#state === 'up';
          this.#link = undefined;
          if (!this.#ended.signal.aborted) this.#failed(reason.message);
          resolve(wasUp);
        },
      });
      const link = new Link(socket, { dialled: true, hello, events });
      this.#link = link;
      this.#id = id;
      // Closed while it was being dialled.
      if (this.#ended.signal.aborted) link.close({ code: 'closing', message: 'the link was removed' });
    });
  }

  #failed(text: string): void {
    if (this.#message?.text !== text || this.#state === 'up')
      this.#log.warn(`link ${this.config.name} is not up: ${text}`, this.#way);
    this.#message = { text, time: new Date() };
    this.#become('connecting');
  }

  get #way() {
    return { endpoint: this.#endpoint, ...(this.#proxy !== undefined && { proxy: this.#proxy }) };
  }

  #become(state: LinkState): void {
    if (state !== this.#state) this.#since = new Date();
    this.#state = state;
    this.#changed();
  }
}

function hasEnded(time: string): string {
  const day = time.slice(0, 10);
  return `its certificate ended on ${day}, and only a new token lets this site in again: caravan token issue at the other site, then caravan token redeem here`;
}

function growing(first: number, last: number, attempt: number): number {
  return Math.min(first * 1.5 ** attempt, last);
}
