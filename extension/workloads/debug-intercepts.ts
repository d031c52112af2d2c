import * as vscode from 'vscode';
import type { InterceptRequest, MadeResource } from '../../runtime/api/types.ts';
import { INTERCEPTS } from '../../runtime/api/vocabulary.ts';
import { CaravanError } from '../../runtime/errors.ts';
import type { Caravan } from '../caravan.ts';
import { guarded } from '../commands/command.ts';
import type { InnerConfig } from './launch-config.ts';

/** In the inner configuration: which intercept belongs to the session. No debugger reads it. */
const MARK = 'caravanIntercept';

/** Services that this laptop stands in for while a program is debugged. */
export class DebugIntercepts implements vscode.Disposable {
  readonly #caravan: Caravan;
  readonly #wanted = new Map<number, InterceptRequest>();
  readonly #made = new Map<number, MadeResource>();
  #count = 0;
  readonly #parts: vscode.Disposable;

  constructor(caravan: Caravan) {
    this.#caravan = caravan;
    this.#parts = vscode.Disposable.from(
      vscode.debug.onDidStartDebugSession((session) => this.#started(session)),
      vscode.debug.onDidTerminateDebugSession((session) => this.#ended(session)),
    );
  }

  /** Throws `bad-request` where what a configuration says is none. */
  read(given: unknown): InterceptRequest | undefined {
    if (given === undefined) return undefined;
    const { address, port, how, header, servicePort } = given as Partial<InterceptRequest>;
    const isOne =
      typeof address === 'string' &&
      typeof port === 'number' &&
      (how === undefined || (INTERCEPTS as readonly string[]).includes(how));
    if (!isOne)
      throw new CaravanError('bad-request', '"intercept" needs an address and the port where your program listens, such as {"address": "backend", "port": 3000}.'); // prettier-ignore
    return { address, port, ...(how && { how }), ...(header && { header }), ...(servicePort && { servicePort }) };
  }

  /** The configuration, such that its session intercepts. */
  marked(config: InnerConfig, request: InterceptRequest): InnerConfig {
    const mark = ++this.#count;
    this.#wanted.set(mark, request);
    return { ...config, [MARK]: mark };
  }

  dispose(): void {
    this.#parts.dispose();
  }

  #started({ configuration }: vscode.DebugSession): void {
    const mark = configuration[MARK] as number;
    const request = this.#wanted.get(mark);
    // Some debuggers run sessions within a session, with the same configuration: the first one counts.
    if (!request) return;
    this.#wanted.delete(mark);
    void guarded(this.#caravan, 'intercept', async () => {
      const { laptop, operations } = this.#caravan;
      if (!(await laptop.isRunning()))
        throw new CaravanError('not-running', `This laptop is in no network, so ${request.address} is not intercepted: use "Join with This Laptop", and start again.`); // prettier-ignore
      const made = await operations.run(`intercept ${request.address}`, () => this.#caravan.api(laptop.ref).intercept(request));
      this.#made.set(mark, made);
    });
  }

  #ended({ configuration, parentSession }: vscode.DebugSession): void {
    const mark = configuration[MARK] as number;
    const made = parentSession ? undefined : this.#made.get(mark);
    if (!made) return;
    this.#made.delete(mark);
    void guarded(this.#caravan, 'intercept', () =>
      this.#caravan.operations.run('stop intercepting', () => this.#caravan.api(this.#caravan.laptop.ref).remove(made)),
    );
  }
}
