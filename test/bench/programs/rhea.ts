// The part of rhea that the bench's AMQP programs use.
import { createRequire } from 'node:module';
import type { Server } from 'node:net';

export interface Sender {
  sendable(): boolean;
  send(message: { body: Buffer }): void;
}

interface Context {
  sender: Sender;
  connection: { close(): void; error?: Error };
}

export interface Container {
  on(event: string, listener: (context: Context) => void): void;
  listen(options: { host: string; port: number }): Server;
  connect(options: { host: string; port: number; reconnect: boolean }): { open_sender(address: string): Sender };
}

export const rhea = createRequire(import.meta.url)('rhea') as { create_container(): Container };
