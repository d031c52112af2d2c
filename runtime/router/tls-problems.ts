import type { Duplex } from 'node:stream';
import { TlsServerError } from '../protocols/tls/start-tls.ts';
import { isTlsError } from '../protocols/tls/words.ts';

interface TlsProblem {
  message: string;
  /** It came after the handshake, as an alert of TLS 1.3 does: that another handshake succeeds says nothing. */
  late: boolean;
}

/** Why TLS with servers failed, until it succeeds again. */
export class TlsProblems {
  readonly #problems = new Map<string, TlsProblem>();
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  of(server: string): string | undefined {
    return this.#problems.get(server)?.message;
  }

  /** A connection did not come about. */
  failed(server: string, error: unknown): void {
    if (error instanceof TlsServerError) this.#set(server, { message: error.message, late: false });
  }

  /** A connection is up; what TLS says later is noted. */
  connected(server: string, connection: Duplex): void {
    if (this.#problems.get(server)?.late === false) this.forget(server);
    let failed = false;
    connection.once('error', (error) => {
      if (!isTlsError(error)) return;
      failed = true;
      this.#set(server, { message: error.message, late: true });
    });
    connection.once('close', () => failed || this.forget(server));
  }

  forget(server: string): void {
    if (this.#problems.delete(server)) this.#changed();
  }

  /** Forgets servers that are not there any more. */
  keep(isThere: (server: string) => boolean): void {
    for (const server of this.#problems.keys()) if (!isThere(server)) this.#problems.delete(server);
  }

  #set(server: string, problem: TlsProblem): void {
    const isNews = this.#problems.get(server)?.message !== problem.message;
    this.#problems.set(server, problem);
    if (isNews) this.#changed();
  }
}
