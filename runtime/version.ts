/** The version that sites tell each other and that `caravan --version` prints; a test keeps it equal to package.json's. */
export const VERSION = '0.1.0';
