import * as vscode from 'vscode';
import type { InterceptRequest, MadeResource } from '../../runtime/api/types.ts';
import { INTERCEPTS } from '../../runtime/api/vocabulary.ts';
import { CaravanError } from '../../runtime/errors.ts';
import type { Caravan } from '../caravan.ts';
import { guarded } from '../commands/command.ts';
import { InterceptMarks } from './intercept-marks.ts';
import type { InnerConfig } from './launch-config.ts';

/** Services that this laptop stands in for while a program is debugged. */
export class DebugIntercepts implements vscode.Disposable {
  readonly #caravan: Caravan;
  readonly #marks: InterceptMarks;
  readonly #parts: vscode.Disposable;
  readonly #held = new WeakMap<MadeResource, AbortController>();

  constructor(caravan: Caravan) {
    this.#caravan = caravan;
    this.#marks = new InterceptMarks({ make: (request) => this.#make(request), remove: (made) => this.#remove(made) });
    this.#parts = vscode.Disposable.from(
      vscode.debug.onDidStartDebugSession((session) => {
        if (!session.parentSession) void guarded(caravan, 'intercept', () => this.#marks.started(session.configuration));
      }),
      vscode.debug.onDidTerminateDebugSession((session) => {
        if (!session.parentSession) void guarded(caravan, 'intercept', () => this.#marks.ended(session.configuration));
      }),
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
    return this.#marks.marked(config, request);
  }

  /** What is still held goes with this process: the laptop's router outlives the window, and programs that are debugged in it do not. */
  dispose(): void {
    this.#parts.dispose();
  }

  async #make(request: InterceptRequest): Promise<MadeResource> {
    const { laptop, operations } = this.#caravan;
    if (!(await laptop.isRunning()))
      throw new CaravanError('not-running', `This laptop is in no network, so ${request.address} is not intercepted: use "Join with This Laptop", and start again.`); // prettier-ignore
    const held = new AbortController();
    const lost = () =>
      void vscode.window.showWarningMessage(
        `${request.address} is no longer intercepted, since this laptop's router has ended. Join again, and start the program anew.`,
      );
    const made = await operations.run(`intercept ${request.address}`, () =>
      this.#caravan.api(laptop.ref).interceptWhile(request, held.signal, lost),
    );
    this.#held.set(made, held);
    return made;
  }

  async #remove(made: MadeResource): Promise<void> {
    const { laptop, operations } = this.#caravan;
    try {
      await operations.run('stop intercepting', () => this.#caravan.api(laptop.ref).remove(made));
    } finally {
      this.#held.get(made)?.abort();
    }
  }
}
