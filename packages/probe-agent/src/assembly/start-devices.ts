import { setTimeout as delay } from 'node:timers/promises';
import type { Lane } from '../identity/lane.js';
import { failures } from '../identity/self-test.js';
import type { Events } from '../reporting/events.js';
import type { Probing } from './probing.js';

/** The hello waits so long for devices to open and to run their known answers; one that takes longer is described anew later. */
const PATIENCE_MS = 15_000;

export interface StartParts {
  readonly events: Events;
  readonly probing: Probing;
  /** Its devices may refuse an injected fault, which ends the start: it waits for them all. */
  readonly testBuild: boolean;
  readonly onLate: () => void;
  /** A device that was waited for no longer could not be started. */
  readonly fatal: (error: unknown) => void;
}

/**
 * Opens and self-tests all devices at once, and begins to probe each lane as soon as it is ready.
 * @throws SentinelError INVALID_ARGUMENT for a fault of the test build that a device cannot have
 */
export async function startDevices(
  lanes: readonly Lane[],
  { events, probing, testBuild, onLate, fatal }: StartParts,
): Promise<void> {
  let waiting = true;
  const starts = lanes.map(async (lane) => {
    await selfTest(lane, events);
    probing.refresh(lane);
    await probing.start(lane);
    if (!waiting) onLate();
  });
  const started = Promise.all(starts);
  if (testBuild) await started;
  const patience = new AbortController();
  await Promise.race([started, delay(PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => {})]);
  patience.abort();
  waiting = false;
  started.catch(fatal);
}

async function selfTest({ devices }: Lane, events: Events): Promise<void> {
  for (const device of devices) {
    const tested = await device.selfTest();
    for (const { sm, sentence } of failures(tested)) events.selfTestFailed(device.id, sm, sentence);
    for (const { family, reason, failedSelfTest } of device.notScheduled) {
      if (failedSelfTest) events.familyLeftOut(device.id, family, reason);
    }
  }
}
