// The part of rhea that the bench's AMQP programs use.
import { createRequire } from 'node:module';
import type { Server } from 'node:net';

export interface Sender {
  sendable(): boolean;
  send(message: { body: Buffer }): void;
}

export interface Receiver {
  /** What the other end asked for. */
  readonly target: object;
  set_target(target: object): void;
}

interface Context {
  sender: Sender;
  receiver: Receiver;
  connection: { close(): void; error?: Error };
}

export interface Container {
  on(event: string, listener: (context: Context) => void): void;
  listen(options: { host: string; port: number }): Server;
  connect(options: { host: string; port: number; reconnect: boolean }): { open_sender(address: string): Sender };
}

export const rhea = createRequire(import.meta.url)('rhea') as { create_container(): Container };
