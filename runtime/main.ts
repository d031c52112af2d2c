#!/usr/bin/env node
/** The entry of `caravan`. */
import { text } from 'node:stream/consumers';
import { runCli } from './cli/cli.ts';

// A reader that goes away, such as `caravan run | head -1`, must not take the site down with it.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

void runCli(process.argv.slice(2), {
  out: (output) => void process.stdout.write(output),
  err: (output) => void process.stderr.write(output),
  input: () => text(process.stdin),
  now: () => new Date(),
}).then((code) => {
  process.exitCode = code;
});
