import type { Unsubscribe } from '../api/control.ts';
import type { ServiceStatus } from '../api/types.ts';

/** What a source may look at to decide what it wishes: the services of the network. */
export interface NetworkView {
  /**
   * An address that is withdrawn is gone from the list at once; one whose sites are out of reach stays, without destinations, until they
   * are forgotten.
   */
  services(): ServiceStatus[];
  onServicesChange(changed: () => void): Unsubscribe;
}
