import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { CaravanError } from '../errors.ts';
import type { SiteStore } from '../site/store.ts';
import { ago } from '../words.ts';

/** Permission for so many sites to link here, until it expires. Its code is kept as a hash only. */
interface Grant {
  name: string;
  codeHash: string;
  expires: string;
  uses: number;
  /** When it was redeemed, once for each use. */
  used: string[];
}

/** A grant that nobody can redeem any more is kept this long, so that late comers learn why. Milliseconds. */
const REMEMBER_MS = 7 * 86_400_000;

export class Grants {
  readonly #store: SiteStore;
  /** One redemption after another: two at once must not share the last use. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(store: SiteStore) {
    this.#store = store;
  }

  /** @param lifetimeMs from now on @returns the grant's name and its code, which is not kept */
  async make(lifetimeMs: number, uses: number): Promise<{ name: string; code: string; expires: string }> {
    await this.#clean();
    const name = randomBytes(5).toString('hex');
    const code = randomBytes(24).toString('base64url');
    const expires = new Date(Date.now() + lifetimeMs).toISOString();
    await this.#write({ name, codeHash: hash(code), expires, uses, used: [] });
    return { name, code, expires };
  }

  /**
   * Takes one use for what `redemption` does; where that fails, no use is taken.
   * Rejects with `token-unknown` (also for a wrong code: who does not hold it learns nothing), `token-expired`, `token-used-up`.
   */
  redeem<T>(name: string, code: string, redemption: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(async () => {
      const grant = await this.#valid(name, code);
      const outcome = await redemption();
      await this.#write({ ...grant, used: [...grant.used, new Date().toISOString()] });
      return outcome;
    });
    this.#turn = result.catch(() => {});
    return result;
  }

  async #valid(name: string, code: string): Promise<Grant> {
    const text = /^[0-9a-f]{10}$/.test(name) ? await this.#store.read(`grants/${name}`) : undefined;
    const grant = text === undefined ? undefined : (JSON.parse(text) as Grant);
    if (!grant || !timingSafeEqual(Buffer.from(grant.codeHash), Buffer.from(hash(code))))
      throw new CaravanError('token-unknown', `the token is not known to the site that it names. ${ASK}`);
    if (grant.used.length >= grant.uses) {
      const last = ago(grant.used.at(-1)!);
      throw new CaravanError('token-used-up', `the token was used up ${last} (${grant.used.length} of ${grant.uses}). ${ASK}`);
    }
    if (Date.parse(grant.expires) <= Date.now())
      throw new CaravanError('token-expired', `the token expired ${ago(grant.expires)}. ${ASK}`);
    return grant;
  }

  async #clean(): Promise<void> {
    for (const entry of await this.#store.list('grants/')) {
      const grant = JSON.parse((await this.#store.read(entry)) ?? '{}') as Partial<Grant>;
      if (Date.parse(grant.expires ?? '') + REMEMBER_MS < Date.now()) await this.#store.remove(entry);
    }
  }

  #write(grant: Grant): Promise<void> {
    return this.#store.write(`grants/${grant.name}`, JSON.stringify(grant));
  }
}

const ASK = 'Ask for a new one: caravan token issue';

function hash(code: string): string {
  return createHash('sha256').update(code).digest('hex');
}
