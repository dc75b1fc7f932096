import type { DeviceState } from '../evidence/model/device.js';
import type { CoreConfig } from '../evidence/model/settings.js';
import { hasRelapsed } from '../lifecycle/relapse.js';
import { nextDeepTestUs } from '../lifecycle/schedule-deep-test.js';
import { dateOf, durationOf, type View } from './view.js';

/** For a list: when a device that has no deep test gets one by itself, and how many it failed. */
export function nextTestNote(device: DeviceState, config: CoreConfig, nowUs: number): string {
  const dueUs = nextDeepTestUs(device, config);
  const next = dueUs === null ? 'no deep test scheduled' : `deep test in ${durationOf(dueUs - nowUs)}`;
  const failed = device.out?.failedTests ?? 0;
  return failed === 0 ? next : `${next}, ${failed} failed`;
}

/** Deep tests that led nowhere. */
export function failedTestSentences({ device }: View): string[] {
  const { out } = device;
  const relapsed = 'It failed again on probation, after it had come back: no deep test starts by time alone.';
  return [...(hasRelapsed(device) ? [relapsed] : []), ...countOf(out)];
}

function countOf(out: DeviceState['out']): string[] {
  if (out === null || out.testedUs === null) return [];
  const newest = `on ${dateOf(out.testedUs)}`;
  return out.failedTests === 1
    ? [`One deep test failed or was refused since it was taken out of service, ${newest}.`]
    : [`${out.failedTests} deep tests failed or were refused since it was taken out of service, the newest ${newest}.`];
}

/** What starts the next one without an order, as the start of a sentence. */
export function nextTestStart({ device, config, nowUs }: View): string {
  const dueUs = nextDeepTestUs(device, config);
  const build = 'an agent with a build that none of the failures came from, and no test build, starts a deep test';
  if (dueUs === null) return build;
  return `a deep test starts by itself in ${durationOf(dueUs - nowUs)}, on ${dateOf(dueUs)} (gates.deep_test_after_hours); or ${build} at once`;
}

/** When an agent that refused one is asked again. */
export function askedAgain({ device, config }: View): string {
  if (config.mode === 'observe') return 'Observe mode does not ask it again.';
  const dueUs = nextDeepTestUs(device, config);
  const time = dueUs === null ? '' : `on ${dateOf(dueUs)}, or `;
  return `It is asked again ${time}when it connects with a build that none of the failures came from.`;
}
