import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { after } from 'node:test';
import { zeroCounts } from '../front/counts.js';
import { Front, type FrontParts } from '../front/front.js';
import { ServerSockets } from '../front/http1/server-sockets.js';
import { NO_SAMPLING } from '../front/sampling/no-sampling.js';
import type { FrontSettings } from '../front/settings.js';

export function settingsFor(upstream: string, changed: Partial<FrontSettings> = {}): FrontSettings {
  return {
    listen: '127.0.0.1:0',
    upstream,
    grpcListen: '',
    upstreamGrpc: '',
    framework: 'generic',
    samplingRate: 0,
    socket: '',
    replica: 'replica',
    gpus: [],
    version: '0',
    drainS: 25,
    maxConnections: 4096,
    ...changed,
  };
}

/** For whoever connects to it. */
export function serverAt(url: string): { upstream: URL; sockets: ServerSockets } {
  const upstream = new URL(url);
  return { upstream, sockets: new ServerSockets(upstream) };
}

/** Whose connections are never idle: where a machine stands still for a second, they would end between two requests. */
class PatientSockets extends ServerSockets {
  override open(allowHalfOpen: boolean): Socket {
    const socket = super.open(allowHalfOpen);
    socket.setTimeout = () => socket;
    return socket;
  }
}

export function patient(upstream: string): { sockets: ServerSockets } {
  return { sockets: new PatientSockets(new URL(upstream)) };
}

/** A front on a port of its own. */
export async function startFront(
  upstream: string,
  parts: Partial<FrontParts> = {},
): Promise<{ front: Front; port: number }> {
  const { sockets } = serverAt(upstream);
  const settings = settingsFor(upstream);
  const front = new Front({ settings, sockets, sampling: NO_SAMPLING, counts: zeroCounts(), ...parts });
  front.server.listen(0, '127.0.0.1');
  await once(front.server, 'listening');
  after(() => {
    front.server.close();
    front.destroy();
  });
  return { front, port: (front.server.address() as AddressInfo).port };
}
