import { join } from 'node:path';
import { dataHome } from '../data-home.ts';

/** Where the router of this laptop has its configuration, its data and its log. A site's folder is named after it, and `_` is in no Site's name. */
export function laptopFolder(): string {
  return join(dataHome(), 'local_router');
}
