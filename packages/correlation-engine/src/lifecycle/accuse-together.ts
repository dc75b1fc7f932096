import type { ComparisonRecord } from '../evidence/job-record.js';
import { type LostRound, noteLost } from '../evidence/jobs/rounds.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { Step } from '../evidence/step.js';
import { noteSignal } from '../patterns/signals.js';
import { askDevice } from './ask-device.js';
import { takeSoftEvent } from './take-soft-event.js';
import { transition } from './transition.js';

/**
 * A device that lost a round together with others, as those of a tensor-parallel replica do: one of them computes wrongly, and nothing says
 * which. So it is no hard evidence against any, but makes each a SUSPECT, and their probes are asked: those that fail are.
 */
export function accuseTogether(step: Step, device: DeviceState, record: ComparisonRecord, round: LostRound): void {
  const { source, job, jobGpus, testBuild } = record;
  const { timeUs, together = 1 } = round;
  noteSignal(device, 'job', timeUs);
  noteLost(step, device, round);
  device.injectedEvidence ||= testBuild;
  device.lastObservationUs = Math.max(device.lastObservationUs ?? timeUs, timeUs);
  if (device.state === 'HEALTHY') {
    const reason = `Two other devices or more outvoted what it and ${together - 1} more answered together (job ${job}): one of them computes wrongly. Probes are to say which.`;
    transition(step, device, { to: 'SUSPECT', reason, timeUs, actor: '' });
  }
  if (device.state === 'SUSPECT') askDevice(step, device);
  // What a test build makes up would outlive the test.
  if (testBuild) return;
  takeSoftEvent(step, device.id, { source, timeUs, job, jobGpus, share: 1 / together });
}
