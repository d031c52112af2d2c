/**
 * One connection to a port of a pod, through the API server's port-forward over a WebSocket. client-node's own is not used: it has no
 * backpressure in either direction, and an error of the pod's side never reaches whoever reads.
 *
 * Protocol (k8s.io/kubelet, pkg/cri/streaming/portforward/websocket.go): every binary message starts with a byte that names its
 * channel: 0 carries the data, 1 an error as text. The first message of each channel is the port, two bytes, and is no data.
 */
import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { CaravanError } from '../errors.ts';
import { connectionError } from './api-errors.ts';
import type { ClusterClient } from './client.ts';
import { pathOf } from './objects.ts';
import type { CallOptions } from './types.ts';
import { openWebSocket } from './web-socket.ts';

/** Best first. Version 5 can say that one direction has ended; kubelets up to now speak version 4 for port-forward. */
const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const DATA = 0;
const ERROR = 1;
const CLOSE = 255;
/** RFC 6455, 7.4.1: the connection ended without a close frame. */
const BROKE_OFF = 1006;

/** Bytes handed to the socket that it has not taken yet: above this a writer waits. */
export const MAX_BUFFERED_BYTES = 1024 * 1024;
/** Bytes of one message; the receiving ends hold a whole one in memory. */
const MAX_MESSAGE_BYTES = 256 * 1024;
/**
 * Version 4 cannot tell the pod that we have nothing more to send. What it still has to say is waited for until it says
 * nothing for this long; then the connection is closed. Milliseconds.
 */
export const HALF_CLOSE_IDLE_MS = 5_000;

export interface PortForwardTarget {
  namespace: string;
  pod: string;
  port: number;
}

/** Resolves when the API server has accepted; a pod that does not listen on the port destroys the stream with a sentence. */
export async function openPortForward(
  client: ClusterClient,
  target: PortForwardTarget,
  options: CallOptions = {},
): Promise<Duplex> {
  const path = `${pathOf('Pod', target.namespace, target.pod)}/portforward?ports=${target.port}`;
  const access = await client.webSocket(path);
  const socket = await openWebSocket(access, PROTOCOLS, client.where, options);
  return new PortForwardStream(socket, target, client.where);
}

class PortForwardStream extends Duplex {
  private readonly socket: WebSocket;
  private readonly target: PortForwardTarget;
  private readonly where: string;
  /** Bytes of the port that each channel still has to send first. */
  private readonly heading = { [DATA]: 2, [ERROR]: 2 };
  private complaint = '';
  private idle: NodeJS.Timeout | undefined;

  constructor(socket: WebSocket, target: PortForwardTarget, where: string) {
    super({ allowHalfOpen: true, readableHighWaterMark: MAX_MESSAGE_BYTES, writableHighWaterMark: MAX_MESSAGE_BYTES });
    this.socket = socket;
    this.target = target;
    this.where = where;
    socket.binaryType = 'nodebuffer';
    socket.on('message', (data) => this.receive(data as Buffer));
    socket.on('error', (error) => this.destroy(connectionError(error, where, 'its API server')));
    socket.on('close', (code) => this.ended(code));
    socket.resume();
  }

  override _read(): void {
    if (this.socket.isPaused) this.socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    let left = chunk.length;
    let waiting = false;
    // Errors are told by the socket's own events: a piece that is never taken ends the stream there.
    const taken = (size: number) => {
      left -= size;
      if (waiting && left === 0) done();
    };
    for (let start = 0; start < chunk.length; start += MAX_MESSAGE_BYTES) {
      const piece = chunk.subarray(start, start + MAX_MESSAGE_BYTES);
      this.socket.send(onChannel(DATA, piece), { binary: true }, () => taken(piece.length));
    }
    // Below the limit the next chunk may follow at once; above it, when the socket has taken this one.
    waiting = this.socket.bufferedAmount >= MAX_BUFFERED_BYTES && left > 0;
    if (!waiting) done();
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.socket.protocol === PROTOCOLS[0]) this.socket.send(onChannel(CLOSE, Buffer.from([DATA])));
    else this.idle = setTimeout(() => this.socket.close(), HALF_CLOSE_IDLE_MS);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.idle);
    this.socket.terminate();
    done(error);
  }

  private receive(data: Buffer): void {
    this.idle?.refresh();
    const channel = data[0];
    if (channel === CLOSE && data[1] === DATA) {
      this.push(null);
      return;
    }
    if (channel !== DATA && channel !== ERROR) return;
    const skipped = Math.min(this.heading[channel], data.length - 1);
    this.heading[channel] -= skipped;
    const payload = data.subarray(1 + skipped);
    if (payload.length === 0) return;
    if (channel === ERROR) {
      // The text may come in pieces: what comes at once belongs together.
      if (this.complaint === '') setTimeout(() => this.fail(this.explain()), 20);
      this.complaint += payload.toString();
    } else if (!this.readableEnded && !this.push(payload)) this.socket.pause();
  }

  private ended(code: number): void {
    clearTimeout(this.idle);
    if (this.complaint !== '') this.fail(this.explain());
    else if (code === BROKE_OFF && !this.readableEnded) this.fail(`${this.name()} broke off.`);
    else {
      if (!this.readableEnded) this.push(null);
      // The pod's side is gone: what is still to be written has nowhere to go.
      if (!this.writableEnded) this.end();
    }
  }

  private fail(text: string): void {
    this.destroy(new CaravanError('unreachable', text));
  }

  private explain(): string {
    const { pod, port, namespace } = this.target;
    if (/connection refused/i.test(this.complaint))
      return `Nothing listens on port ${port} of the pod ${pod} in ${namespace} (${this.where}).`;
    if (/connection reset/i.test(this.complaint))
      return `The pod ${pod} in ${namespace} (${this.where}) reset the connection to port ${port}.`;
    if (/not found|no such/i.test(this.complaint)) return `The pod ${pod} in ${namespace} (${this.where}) is gone.`;
    return `${this.name()} failed: ${this.complaint.trim().split('\n')[0]!.slice(0, 300)}.`;
  }

  private name(): string {
    return `The port-forward to ${this.target.pod} in ${this.target.namespace} (${this.where})`;
  }
}

function onChannel(channel: number, data: Buffer): Buffer {
  const message = Buffer.allocUnsafe(data.length + 1);
  message[0] = channel;
  data.copy(message, 1);
  return message;
}
