import { existsSync, statSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import type { ServerHello } from '@sentinel/contracts/sentinel/v1/inference.js';
import { formatAddress } from '@sentinel/service-kit/address';
import { ControlServer } from './control/control-server.js';
import { controlPath, type ToFront } from './control/messages.js';
import { zeroCounts } from './counts.js';
import { BACKLOG, Front } from './front.js';
import { GrpcProxy } from './grpc/grpc-proxy.js';
import { ServerSockets } from './http1/server-sockets.js';
import { Http2Bridge } from './http2/bridge.js';
import { FIRST_SOCKET, launch } from './launch.js';
import { waitingBytes } from './memory.js';
import { Pressure } from './pressure.js';
import { Sampler } from './sampling/sampler.js';
import { SampleSender } from './sending/sample-sender.js';
import { type FrontSettings, fingerprint } from './settings.js';
import { unavailableLog } from './unavailable-log.js';

const TELL_MS = 1_000;
const LOOK_MS = 100;
/** A front on a port of the system's choice ends so long after its analyser. */
const UNWATCHED_MS = 60_000;

/** The process of the front. Its only argument is `FrontSettings` in JSON; its listening sockets are inherited. */
const settings = JSON.parse(process.argv[2] ?? '{}') as FrontSettings;
const counts = zeroCounts();
let rate = settings.samplingRate;
let sender: SampleSender | null = null;
let tell: (text: string) => void = () => undefined;
const sampler = new Sampler({
  rate: () => rate,
  counts,
  random: Math.random,
  nowMs: () => performance.now(),
  nowUs: () => BigInt(Date.now()) * 1000n,
  onSample: (sample) => sender?.send(sample),
  isPressed: () => pressure.isNear,
});
const { upstream, maxConnections: maxRequests } = settings;
const onUnavailable = unavailableLog(upstream, { say: (text) => tell(text), nowMs: () => performance.now() });
const sockets = new ServerSockets(new URL(upstream), (bytes) => pressure.read(bytes));
const common = { sampling: sampler, counts, sockets, onUnavailable };
const bridge = new Http2Bridge({ ...common, upstream: new URL(upstream), maxRequests });
const front = new Front({ ...common, settings, http2: (client, first) => bridge.serve(client, first) });
const grpc = settings.grpcListen === '' ? null : makeGrpc();
const pressure = new Pressure({
  mayWait: waitingBytes(process.constrainedMemory()),
  all: [front, bridge, ...(grpc === null ? [] : [grpc])],
  buffers: () => process.memoryUsage().arrayBuffers,
  collect: (type) => globalThis.gc?.({ type }),
});
/** The keeper starts a front again unless its status is 0: one that cannot begin would never. */
process.once('uncaughtException', giveUp);
await listen(front.server, FIRST_SOCKET);
if (grpc !== null) await listen(grpc.server, FIRST_SOCKET + 1);
const control = new ControlServer(
  controlPath(settings.socket),
  {
    kind: 'hello',
    pid: process.pid,
    fingerprint: fingerprint(settings, process.argv[1] ?? ''),
    listen: settings.listen,
    grpcListen: settings.grpcListen,
    address: formatAddress(front.server.address() as AddressInfo),
    grpcAddress: grpc === null ? '' : formatAddress(grpc.server.address() as AddressInfo),
  },
  follow,
);
await control.listen();
tell = (text) => control.say('warn', text);
sender = new SampleSender({
  socket: settings.socket,
  hello: helloOf(settings),
  counts,
  onRate: (asked) => {
    rate = asked;
  },
  say: (level, text) => control.say(level, text),
});
const own = statSync(controlPath(settings.socket)).ino;
let draining = false;
let watchedMs = performance.now();

process.off('uncaughtException', giveUp);
process.on('uncaughtException', (error) => {
  counts.failures += 1;
  control.say('error', `a mistake of the front, which goes on: ${error.stack ?? error.message}`);
});
process.on('SIGTERM', drain).on('SIGINT', () => undefined);
setInterval(() => {
  control.tell({ kind: 'counts', counts: counts });
  if (!reachable()) drain();
}, TELL_MS);

setInterval(() => pressure.look(), LOOK_MS);

function listen(server: Pick<Server, 'once' | 'listen'>, fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen({ fd, backlog: BACKLOG }, () => resolve());
  });
}

/** A front whose control socket is gone could never be ended or replaced; one whose port the system chose is known to its analyser alone. */
function reachable(): boolean {
  if (control.watched) watchedMs = performance.now();
  if (draining || control.watched) return true;
  if (settings.listen.endsWith(':0') && performance.now() - watchedMs > UNWATCHED_MS) return false;
  const path = controlPath(settings.socket);
  return existsSync(path) && statSync(path).ino === own;
}

async function follow(order: ToFront): Promise<void> {
  if (order.kind === 'replace') {
    control.close();
    const servers: Server[] = [front.server, ...(grpc === null ? [] : [grpc.server as unknown as Server])];
    launch(order.command, servers, settings.socket);
  }
  drain();
}

function drain(): void {
  if (draining) return;
  draining = true;
  front.drain();
  grpc?.drain();
  control.close();
  const begun = performance.now();
  const timer = setInterval(() => {
    if (front.open + (grpc?.open ?? 0) > 0 && performance.now() - begun < settings.drainS * 1000) return;
    clearInterval(timer);
    front.destroy();
    grpc?.destroy();
    process.exit(0);
  }, LOOK_MS);
}

function giveUp(error: Error): never {
  process.stderr.write(`${error.stack}\n`);
  process.exit(0);
}

function helloOf({ replica, framework, gpus, version }: FrontSettings): ServerHello {
  return {
    replica,
    model: '',
    framework,
    configHash: Buffer.alloc(0),
    dtype: '',
    gpus: [...gpus],
    libraryVersion: version,
    testBuild: false,
    answers: false,
  };
}

function makeGrpc(): GrpcProxy {
  return new GrpcProxy({
    upstream: settings.upstreamGrpc,
    maxConnections: settings.maxConnections,
    counts,
    draw: () => sampler.draw(),
    nowMs: () => performance.now(),
    nowUs: () => BigInt(Date.now()) * 1000n,
    onSample: (sample) => sender?.send(sample),
  });
}
