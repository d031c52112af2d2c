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

const FOLDER = 'grants/';
/** A grant that nobody can redeem any more is kept this long, so that late comers learn why. Milliseconds. */
const REMEMBER_MS = 7 * 86_400_000;

/** All that were made, kept in the site's store and known by heart: a stranger who guesses costs no look into it, and holds up nobody. */
export class Grants {
  readonly #store: SiteStore;
  readonly #grants: Map<string, Grant>;
  /** One redemption after another: two at once must not share the last use. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(store: SiteStore, grants: Map<string, Grant>) {
    this.#store = store;
    this.#grants = grants;
  }

  static async load(store: SiteStore): Promise<Grants> {
    const grants = new Map<string, Grant>();
    for (const entry of await store.list(FOLDER)) {
      const name = entry.slice(FOLDER.length);
      const grant = await read(store, name);
      if (grant) grants.set(name, grant);
    }
    return new Grants(store, grants);
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
  async redeem<T>(name: string, code: string, redemption: () => Promise<T>): Promise<T> {
    // Only who holds a token gets into the line.
    valid(this.#grants.get(name), code);
    const result = this.#turn.then(async () => {
      // It may have been taken out of the store to take it back.
      const grant = valid(await read(this.#store, name), code);
      const outcome = await redemption();
      await this.#write({ ...grant, used: [...grant.used, new Date().toISOString()] });
      return outcome;
    });
    this.#turn = result.catch(() => {});
    return result;
  }

  async #clean(): Promise<void> {
    for (const { name, expires } of this.#grants.values())
      if (Date.parse(expires) + REMEMBER_MS < Date.now()) {
        await this.#store.remove(FOLDER + name);
        this.#grants.delete(name);
      }
  }

  async #write(grant: Grant): Promise<void> {
    await this.#store.write(FOLDER + grant.name, JSON.stringify(grant));
    this.#grants.set(grant.name, grant);
  }
}

/** The grant, where the code is its own and it can still be redeemed. */
function valid(grant: Grant | undefined, code: string): Grant {
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

async function read(store: SiteStore, name: string): Promise<Grant | undefined> {
  const text = await store.read(FOLDER + name);
  return text === undefined ? undefined : (JSON.parse(text) as Grant);
}

const ASK = 'Ask for a new one: caravan token issue';

function hash(code: string): string {
  return createHash('sha256').update(code).digest('hex');
}
