import type { InterceptRequest, MadeResource } from '../../runtime/api/types.ts';
import type { InnerConfig } from './launch-config.ts';

/** In the inner configuration: which intercept belongs to the session. No debugger reads it. */
const MARK = 'caravanIntercept';

export interface InterceptCalls {
  make(request: InterceptRequest): Promise<MadeResource>;
  remove(made: MadeResource): Promise<void>;
}

interface Marked {
  request: InterceptRequest;
  /** How many of its sessions run: one that is restarted ends after the next has begun, or before. */
  running: number;
  /** Undefined while there is none. */
  made: Promise<MadeResource> | undefined;
}

/** Intercepts of debug sessions, by what marks their configurations. */
export class InterceptMarks {
  readonly #calls: InterceptCalls;
  readonly #marked = new Map<unknown, Marked>();
  #count = 0;

  constructor(calls: InterceptCalls) {
    this.#calls = calls;
  }

  /** The configuration, such that its session, and every restart of it, intercepts. */
  marked(config: InnerConfig, request: InterceptRequest): InnerConfig {
    const mark = ++this.#count;
    this.#marked.set(mark, { request, running: 0, made: undefined });
    return { ...config, [MARK]: mark };
  }

  async started(config: Record<string, unknown>): Promise<void> {
    const marked = this.#marked.get(config[MARK]);
    if (!marked) return;
    marked.running++;
    marked.made ??= this.#calls.make(marked.request);
    await marked.made;
  }

  /** Takes it back, also one that is only being made: a program may end at once. */
  async ended(config: Record<string, unknown>): Promise<void> {
    const marked = this.#marked.get(config[MARK]);
    if (!marked || --marked.running > 0) return;
    await this.#takeBack(marked);
  }

  async #takeBack(marked: Marked): Promise<void> {
    const { made } = marked;
    marked.made = undefined;
    // Where it was not had, that was said.
    const resource = await made?.catch(() => undefined);
    if (resource) await this.#calls.remove(resource);
  }
}
