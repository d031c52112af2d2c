import { AmqpError, framingError } from '../wire/amqp-error.ts';
import type { Decoder } from '../wire/decoder.ts';
import { SASL_FRAME } from '../wire/frame-reader.ts';
import { SASL_INIT, SASL_MECHANISMS, SASL_OUTCOME } from '../wire/performatives.ts';
import type { Output } from './output.ts';

const AMQP = 0;
const SASL = 3;

/** What comes before AMQP's own frames: protocol headers, and SASL between two of them (sections 2.2 and 5.3 of AMQP 1.0). */
export interface Handshake {
  begin(output: Output): void;
  /** @returns Whether AMQP's own frames come next. */
  header(header: Buffer, output: Output): boolean;
  /** A frame of SASL. @returns Whether a protocol header comes next. */
  frame(body: Decoder, output: Output): boolean;
}

/** Lets a client in as nobody in particular, whatever it calls itself; SASL may be left out. */
export class ServerHandshake implements Handshake {
  readonly #mechanisms: readonly string[];

  /** @param takesPasswords Also PLAIN is taken, and its password ignored: for clients that insist, where nobody else can hear it. */
  constructor(takesPasswords: boolean) {
    this.#mechanisms = takesPasswords ? ['ANONYMOUS', 'PLAIN'] : ['ANONYMOUS'];
  }

  begin(): void {
    // A client speaks first.
  }

  header(header: Buffer, output: Output): boolean {
    const protocol = protocolOf(header);
    if (protocol === AMQP) {
      output.header(AMQP);
      return true;
    }
    output.header(SASL);
    if (protocol !== SASL) throw framingError('the client does not speak AMQP 1.0');
    output.frame(SASL_FRAME, 0, (encoder) => encoder.list(SASL_MECHANISMS, 1, () => encoder.symbols(this.#mechanisms)));
    return false;
  }

  frame(body: Decoder, output: Output): boolean {
    if (body.descriptor() !== SASL_INIT) throw outOfTurn();
    const mechanism = body.list().symbol() ?? '';
    const isTaken = this.#mechanisms.includes(mechanism);
    output.frame(SASL_FRAME, 0, (encoder) => encoder.list(SASL_OUTCOME, 1, () => encoder.ubyte(isTaken ? 0 : 1)));
    if (!isTaken) throw new AmqpError('amqp:unauthorized-access', `the mechanism ${mechanism} is not known here`);
    return true;
  }
}

export interface Credentials {
  user: string;
  password: string;
}

/** Asks a server to be let in: with a password where there is one, else as anonymous. */
export class ClientHandshake implements Handshake {
  readonly #credentials: Credentials | undefined;
  #isIn = false;

  constructor(credentials: Credentials | undefined) {
    this.#credentials = credentials;
  }

  begin(output: Output): void {
    output.header(SASL);
  }

  header(header: Buffer): boolean {
    const protocol = protocolOf(header);
    if (protocol !== (this.#isIn ? AMQP : SASL)) throw framingError('it does not speak AMQP 1.0 with SASL');
    return this.#isIn;
  }

  frame(body: Decoder, output: Output): boolean {
    const performative = body.descriptor();
    if (performative === SASL_MECHANISMS) {
      const offered = body.rest().toString('latin1');
      const mechanism = this.#credentials ? 'PLAIN' : 'ANONYMOUS';
      if (!offered.includes(mechanism))
        throw new AmqpError('amqp:unauthorized-access', `it does not let clients in with the mechanism ${mechanism}`);
      output.frame(SASL_FRAME, 0, (encoder) =>
        encoder.list(SASL_INIT, 2, () => {
          encoder.symbol(mechanism);
          encoder.binary(Buffer.from(this.#response()));
        }),
      );
      return false;
    }
    if (performative !== SASL_OUTCOME) throw outOfTurn();
    if (body.list().unsigned() !== 0) throw new AmqpError('amqp:unauthorized-access', 'it does not take the user and password');
    this.#isIn = true;
    output.header(AMQP);
    return true;
  }

  /** RFC 4616, section 2; RFC 4505, section 2. */
  #response(): string {
    return this.#credentials ? `\0${this.#credentials.user}\0${this.#credentials.password}` : 'anonymous';
  }
}

function protocolOf(header: Buffer): number | undefined {
  if (header.toString('latin1', 0, 4) !== 'AMQP' || header[5] !== 1 || header[6] !== 0) return undefined;
  return header[4];
}

function outOfTurn(): AmqpError {
  return framingError('a frame of SASL comes out of turn');
}
