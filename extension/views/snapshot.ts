import type { ContextView, KubeconfigCondition, KubeconfigProblem } from '../clusters/clusters.ts';
import type { SiteView } from '../sites/watched-site.ts';

/** Everything that the trees, the status bar and the lenses show, as it stands at one moment. */
export interface Snapshot {
  kubeconfigProblems: readonly KubeconfigProblem[];
  condition: KubeconfigCondition;
  contexts: readonly ContextView[];
  sites: readonly SiteView[];
  demo: DemoView;
  showAllNamespaces: boolean;
  /** What a site that is created or upgraded gets. */
  version: string;
  now: Date;
}

export interface DemoView {
  state: 'off' | 'starting' | 'on';
  /** The sample application's frontend. */
  url?: string | undefined;
}
