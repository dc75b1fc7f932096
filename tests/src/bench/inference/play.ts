import { setTimeout as delay } from 'node:timers/promises';
import type { Deployment, Replica } from './deployment.js';
import { Entries } from './entries.js';
import { outcomeOf, type Told } from './outcome.js';
import type { Round } from './rounds.js';

/** A round ends so long after the first entry of the ledger: others may still come. */
const GRACE_MS = 3_000;
/** Without one it ends after so long: all canaries were asked more than once, on a busy machine too. */
const SEEN_MS = 60_000;
/** Where no answer changed, or nothing was done, there is less to wait for. */
const QUIET_MS = 12_000;
const POLL_MS = 250;

/** What is done to a replica in a round, and undone. */
export interface Harming {
  begin(): Promise<void>;
  end(): Promise<void>;
  /** Asked directly: which answers are others than before. */
  changed(): Promise<Told['changed']>;
}

/** One round: harms a replica, waits for what the ledger is told, and makes it good again. */
export async function play(deployment: Deployment, round: Round, harming: Harming): Promise<Told> {
  const replica = deployment.replicas[round.replica] as Replica;
  const isSound = round.harm === 'sound';
  await deployment.idle(replica);
  const told = new Entries(deployment.stack, BigInt(Date.now()) * 1000n, performance.now());
  await harming.begin();
  const changed = isSound ? { canary: false, user: false } : await harming.changed();
  const patience = changed.canary || changed.user ? SEEN_MS : QUIET_MS;
  for (let end = told.startMs + patience; performance.now() < end; await delay(POLL_MS)) {
    const wasSilent = told.named.length === 0;
    await told.read();
    const isFirst = wasSilent && told.named.length > 0;
    if (isFirst && !isSound) end = Math.min(end, performance.now() + GRACE_MS);
  }
  await deployment.idle(replica);
  await harming.end();
  await deployment.agreed(replica);
  // Nobody may be named while it recovers either.
  await told.read();
  const { named } = told;
  return { round, changed, named, outcome: outcomeOf(isSound ? null : replica.gpu, named) };
}

/** In a line; what should not be is shown whole. */
export function describe(count: number, { round, changed, named, outcome }: Told): string {
  const what = Object.entries(round).map(([key, value]) => `${key} ${value}`);
  const which = changed.canary ? 'canaries changed' : changed.user ? 'answers to users changed' : 'no answer changed';
  const who = named.map(
    ({ gpu, detector, seconds }) => `${gpu || 'nobody'} by ${detector} after ${seconds.toFixed(1)} s`,
  );
  const isExpected = outcome === (round.harm === 'sound' || named.length === 0 ? 'nothing' : 'right');
  const whole = isExpected ? [] : named.map(({ detail }) => JSON.stringify(detail));
  return [`round ${count}: ${what.join(', ')}: ${which}: ${outcome} (${who.join('; ')})`, ...whole].join('\n');
}
