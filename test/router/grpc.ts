/** A gRPC service without a `.proto`: messages are bytes as they are. */
import {
  Client,
  credentials,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type Metadata,
  Server,
  ServerCredentials,
  type ServiceDefinition,
} from '@grpc/grpc-js';

const bytes = (message: Buffer): Buffer => message;
const SERVICE = '/test.Echo';
const NO_LIMIT = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };

function method(name: string, requestStream: boolean, responseStream: boolean): ServiceDefinition[string] {
  return {
    path: `${SERVICE}/${name}`,
    requestStream,
    responseStream,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
}

const DEFINITION = {
  one: method('one', false, false),
  collect: method('collect', true, false),
  several: method('several', false, true),
  chat: method('chat', true, true),
};

/** What a server does for each kind of call. */
export interface EchoHandlers {
  one: handleUnaryCall<Buffer, Buffer>;
  collect: handleClientStreamingCall<Buffer, Buffer>;
  several: handleServerStreamingCall<Buffer, Buffer>;
  chat: handleBidiStreamingCall<Buffer, Buffer>;
}

export interface GrpcServer {
  port: number;
  stop(): void;
}

export async function startGrpcServer(handlers: EchoHandlers): Promise<GrpcServer> {
  const server = new Server(NO_LIMIT);
  server.addService(DEFINITION, { ...handlers });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { port, stop: () => server.forceShutdown() };
}

/** One channel: one connection, for all calls on it. */
export class GrpcClient {
  readonly #client: Client;

  constructor(port: number) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), NO_LIMIT);
  }

  one(message: Buffer, metadata: Metadata, options = {}) {
    let settle: { resolve(message: Buffer): void; reject(error: Error): void };
    const answer = new Promise<Buffer>((resolve, reject) => (settle = { resolve, reject }));
    const call = this.#client.makeUnaryRequest(`${SERVICE}/one`, bytes, bytes, message, metadata, options, (error, got) =>
      error ? settle.reject(error) : settle.resolve(got!),
    );
    return { call, answer };
  }

  collect() {
    let settle: { resolve(message: Buffer): void; reject(error: Error): void };
    const answer = new Promise<Buffer>((resolve, reject) => (settle = { resolve, reject }));
    const call = this.#client.makeClientStreamRequest<Buffer, Buffer>(`${SERVICE}/collect`, bytes, bytes, (error, got) =>
      error ? settle.reject(error) : settle.resolve(got!),
    );
    return { call, answer };
  }

  several(message: Buffer) {
    return this.#client.makeServerStreamRequest<Buffer, Buffer>(`${SERVICE}/several`, bytes, bytes, message);
  }

  chat() {
    return this.#client.makeBidiStreamRequest<Buffer, Buffer>(`${SERVICE}/chat`, bytes, bytes);
  }

  close(): void {
    this.#client.close();
  }
}
