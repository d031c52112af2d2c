import type { KubeconfigState } from '../../runtime/kubernetes/types.ts';
import type { ContextView, KubeconfigCondition } from '../clusters/clusters.ts';
import type { SiteView } from '../sites/watched-site.ts';

/** Everything that the trees, the status bar and the lenses show, as it stands at one moment. */
export interface Snapshot {
  /** Undefined until it was read: nothing asks for it before a view is visible. */
  kubeconfig: KubeconfigState | undefined;
  condition: KubeconfigCondition;
  contexts: readonly ContextView[];
  sites: readonly SiteView[];
  demo: DemoView;
  showAllNamespaces: boolean;
  now: Date;
}

export interface DemoView {
  state: 'off' | 'starting' | 'on';
  /** The sample application's frontend. */
  url?: string | undefined;
}
