import assert from 'node:assert/strict';
import type { Door, Side, Streams } from './protocol.ts';
import { properEnd } from './stream-protocol.ts';

const EXCHANGES = 8;

/** Exchanges with a server that echoes, on which words go to and fro all the time. */
export class Held {
  readonly #talks: Talk[];
  readonly #talking: Promise<void>[];
  #isOver = false;

  private constructor(talks: Talk[]) {
    this.#talks = talks;
    this.#talking = talks.map((talk) => this.#goOn(talk));
  }

  /** Resolves when on each of them something was heard. */
  static async start(streams: Streams, door: Door): Promise<Held> {
    const talks = await Promise.all(Array.from({ length: EXCHANGES }, async () => new Talk(await streams.open(door))));
    await Promise.all(talks.map((talk) => talk.say('hello')));
    return new Held(talks);
  }

  /** A last word on each of them, and its end. Rejects where one broke off. */
  async finish(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#talking);
    await Promise.all(
      this.#talks.map(async (talk) => {
        await talk.say('still there');
        await talk.end();
      }),
    );
  }

  async #goOn(talk: Talk): Promise<void> {
    for (let at = 0; !this.#isOver; at++) await talk.say(`word ${at}`);
  }
}

class Talk {
  readonly #side: Side;
  readonly #ended: Promise<void>;
  #heard = '';
  #told: (() => void) | undefined;

  constructor(side: Side) {
    this.#side = side;
    this.#ended = properEnd(side.input);
    // Whoever waits for a word hears of it.
    this.#ended.catch(() => {});
    side.input.on('data', (piece: Buffer) => {
      this.#heard += piece.toString();
      this.#told?.();
    });
  }

  /** Resolves when it came back; rejects where it never will. */
  async say(word: string): Promise<void> {
    this.#heard = '';
    const isBack = new Promise<void>((resolve) => {
      this.#told = () => this.#heard === word && resolve();
    });
    this.#side.output.write(word);
    await Promise.race([isBack, this.#ended.then(() => assert.fail(`it ended before ${word} came back`))]);
  }

  /** Ends this side; resolves when the other one has ended too. */
  async end(): Promise<void> {
    this.#side.output.end();
    await this.#ended;
    this.#side.close?.();
  }
}
