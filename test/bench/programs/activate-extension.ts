// Loads and activates the extension's bundle as an editor does; prints how many milliseconds that took.
import { activateBundle } from '../../../extension/activation.testkit.ts';

const { loadMs, activateMs } = activateBundle();
console.log(loadMs + activateMs);
process.exit(0);
