/** What a spec's VS Code is started with. */
export interface VSCodeOptions {
  /** Copied, so that a spec may change the files. Default: an empty folder. */
  folder?: string;
  /** Written into the folder: contents by path. */
  files?: Record<string, string>;
  /** The user's settings. */
  settings?: Record<string, unknown>;
  /** For the extension host and terminals. HOME is a folder of the spec's own, and KUBECONFIG is not set, unless they are here. */
  env?: Record<string, string>;
  /** Folders of built extensions. Default: Caravan. */
  extensions?: string[];
  /** Default true. False: VS Code asks whether the folder is trusted. */
  trusted?: boolean;
}

/** The same, after the folders are made. */
export interface PreparedOptions {
  folder: string;
  /** Where VS Code keeps settings, extensions and logs. */
  userDataDir: string;
  settings: Record<string, unknown>;
  env: Record<string, string>;
  extensions: string[];
  trusted: boolean;
}
