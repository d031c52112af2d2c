import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Flight, LEAST_FLIGHT_BYTES, MOST_FLIGHT_BYTES, ROUND_TRIP_VALID_MS } from './flight.ts';

const FRAME_BYTES = 16 * 1024;

/** A path of a rate (bytes a millisecond) and a round trip (milliseconds), with a sender that has always more to send. */
class Path {
  readonly flight = new Flight();
  now = 0;
  rate: number;
  roundTrip: number;
  /** The most that stood before the narrowest place since `run` began. Bytes. */
  queued = 0;
  delivered = 0;
  #freeAt = 0;
  readonly #arrivals: { at: number; total: number }[] = [];
  #sent = 0;

  constructor({ rate, roundTrip }: { rate: number; roundTrip: number }) {
    this.rate = rate;
    this.roundTrip = roundTrip;
  }

  run(ms: number): void {
    this.queued = 0;
    this.delivered = 0;
    for (const end = this.now + ms; this.now < end; this.now += 0.1) {
      while (this.#arrivals.length > 0 && this.#arrivals[0]!.at <= this.now) {
        this.flight.received(this.#arrivals.shift()!.total, this.now);
        this.delivered += FRAME_BYTES;
      }
      while (this.flight.bytes < this.flight.look(this.now)) this.#send();
    }
  }

  #send(): void {
    this.#sent += FRAME_BYTES;
    this.flight.sent(FRAME_BYTES, this.now);
    this.#freeAt = Math.max(this.#freeAt, this.now) + FRAME_BYTES / this.rate;
    this.queued = Math.max(this.queued, (this.#freeAt - this.now) * this.rate);
    this.#arrivals.push({ at: this.#freeAt + this.roundTrip, total: this.#sent });
  }
}

describe('what a link has on its way', () => {
  // 100 Mbit/s over 20 ms; 1 Gbit/s over 100 ms; 4 Gbit/s on one machine.
  for (const [rate, roundTrip] of [
    [12_500, 20],
    [100_000, 100],
    [500_000, 0.3],
  ] as const)
    it(`keeps a path of ${rate} bytes/ms and ${roundTrip} ms busy, and little more`, () => {
      const path = new Path({ rate, roundTrip });
      path.run(3000);
      path.run(1000);
      const product = rate * roundTrip;
      assert.ok(path.delivered > 0.9 * rate * 1000, `${path.delivered} bytes in a second`);
      // What passes within 3 ms holds nobody up.
      const bound = Math.max(3 * product, 3 * rate, 2 * LEAST_FLIGHT_BYTES);
      assert.ok(path.queued <= bound, `${path.queued} bytes stand before the narrowest place, which holds ${product}`);
    });

  it('finds out that a path has become longer', () => {
    const path = new Path({ rate: 12_500, roundTrip: 5 });
    path.run(2000);
    path.roundTrip = 60;
    path.run(2 * ROUND_TRIP_VALID_MS + 2000);
    path.run(1000);
    assert.ok(path.delivered > 0.8 * 12_500 * 1000, `${path.delivered} bytes in a second`);
  });

  it('finds out that a path has become narrower', () => {
    const path = new Path({ rate: 100_000, roundTrip: 20 });
    path.run(2000);
    path.rate = 1250;
    path.run(8000);
    path.run(1000);
    assert.ok(path.queued < 4 * LEAST_FLIGHT_BYTES, `${path.queued} bytes stand there`);
  });

  it('leaves room for streams with little to send, and not without end', () => {
    const flight = new Flight();
    flight.roundTrip(10, 0, 0);
    flight.look(0);
    const rooms: string[] = [];
    for (let sent = 0; sent < 3 * LEAST_FLIGHT_BYTES; sent += FRAME_BYTES) {
      rooms.push(flight.room);
      flight.sent(FRAME_BYTES, 0);
    }
    assert.deepEqual(
      rooms,
      ['bulk', 'small', 'none'].flatMap((room) => Array.from({ length: LEAST_FLIGHT_BYTES / FRAME_BYTES }, () => room)),
    );
    flight.received(2 * LEAST_FLIGHT_BYTES, 1);
    assert.equal(flight.room, 'small');
  });

  it('has bounds, whatever is measured', () => {
    const flight = new Flight();
    assert.equal(flight.look(0), LEAST_FLIGHT_BYTES / 4, 'until the path has been measured');
    flight.roundTrip(1000, 0, 0);
    flight.sent(100 * MOST_FLIGHT_BYTES, 0);
    flight.received(100 * MOST_FLIGHT_BYTES, 1);
    assert.equal(flight.look(1), MOST_FLIGHT_BYTES);
  });

  it('is not fooled by a neighbour that says it received more than was sent, or less than before', () => {
    const flight = new Flight(1000);
    flight.sent(5000, 0);
    flight.received(1e12, 1);
    assert.equal(flight.bytes, 0);
    flight.received(0, 2);
    assert.equal(flight.bytes, 0);
  });
});
