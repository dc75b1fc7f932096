import { connect as connectHttp2, constants } from 'node:http2';
import { connect } from 'node:net';

const CLOSE_MS = 1_500;

/** Sends bytes to a TCP port and waits until the other side closes, for a while at most. @returns what it answered */
export function sendBytes(address: string, bytes: Uint8Array): Promise<Buffer> {
  const { hostname, port } = new URL(`tcp://${address}`);
  return new Promise((resolve) => {
    const answer: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    const done = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(Buffer.concat(answer));
    };
    const timer = setTimeout(done, CLOSE_MS);
    socket.on('data', (chunk: Buffer) => answer.push(chunk));
    socket.once('error', done);
    socket.once('close', done);
  });
}

/** One gRPC call made by hand over plaintext HTTP/2: `body` is sent as it is. @returns the grpc-status, or the HTTP/2 error */
export function rawGrpcCall(address: string, path: string, body: Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    const session = connectHttp2(`http://${address}`);
    const done = (answer: string): void => {
      clearTimeout(timer);
      session.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => done('silence'), CLOSE_MS * 4);
    session.once('error', (error) => done(`session ${error.message}`));
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: path,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc+proto',
      te: 'trailers',
    });
    const takeStatus = (headers: Record<string, unknown>): void => {
      const status = headers['grpc-status'];
      if (status !== undefined) done(String(status));
    };
    stream.on('response', takeStatus);
    stream.on('trailers', takeStatus);
    stream.once('error', (error) => done(`stream ${error.message}`));
    stream.once('close', () => done(`closed with ${stream.rstCode}`));
    stream.resume();
    stream.end(body);
  });
}

/** A gRPC frame that announces more bytes than follow. */
export function cutFrame(message: Uint8Array, announced: number): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(announced, 1);
  return Buffer.concat([prefix, message]);
}
