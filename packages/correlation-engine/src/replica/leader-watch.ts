import { type ServiceError, status as Status } from '@grpc/grpc-js';
import { ANONYMOUS } from '@sentinel/service-kit/auth';
import { carriedConnection } from '@sentinel/service-kit/carried-caller';
import { type ServiceEntry, unary } from '@sentinel/service-kit/grpc-server';
import type { Logger } from '@sentinel/service-kit/logging';
import { callJson, jsonMethod } from './json-method.js';
import type { Link } from './link.js';

const PATH = '/sentinel.replica.Leader/Decides';
/** Whoever does not answer within this does not decide, as far as calls are concerned. */
const DEADLINE_MS = 3_000;
/** Between two questions: while it decides, and while it does not yet. */
const DECIDES_MS = 500;
const WAITING_MS = 100;

interface Answer {
  readonly decides: boolean;
}

/** Tells the other replicas whether this one decides: that it has the lead does not say so, it may be reading the state. */
export function leaderService(decides: () => boolean, log: Logger): ServiceEntry {
  return {
    definition: { decides: jsonMethod(PATH) },
    implementation: { decides: unary(async (): Promise<Answer> => ({ decides: decides() }), log) },
    roles: { Decides: 'anyone' },
  };
}

/**
 * Tells whether the replica at the other end decides and answers, again and again until the link is closed.
 * @param replica that asks
 */
export async function watchLeader(link: Link, replica: string, told: (decides: boolean) => void): Promise<void> {
  while (!link.closed) {
    const decides = await asksWhetherItDecides(link, replica);
    if (link.closed) return;
    told(decides);
    await link.pause(decides ? DECIDES_MS : WAITING_MS);
  }
}

/** An earlier release cannot tell: that it answers has to do. */
async function asksWhetherItDecides(link: Link, replica: string): Promise<boolean> {
  const caller = { identity: ANONYMOUS, connection: carriedConnection(replica, 'watch') };
  try {
    return ((await callJson(link, PATH, caller, {}, DEADLINE_MS)) as Answer).decides;
  } catch (error) {
    return (error as Partial<ServiceError>).code === Status.UNIMPLEMENTED;
  }
}
