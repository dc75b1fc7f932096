import { planCanaries } from '../canary/open.js';
import { completeConfig } from '../evidence/complete-config.js';
import { attentiveIds, configOf, editDevice } from '../evidence/draft.js';
import { declareIncidents } from '../evidence/incidents.js';
import type { CoreConfig } from '../evidence/model/settings.js';
import type { ConfigRecord, ConfiguredBy } from '../evidence/record.js';
import { emit, type Step } from '../evidence/step.js';
import { reviewAll } from './review.js';
import { testNewBuild } from './schedule-deep-test.js';

/** Other settings apply at once: every pending device is looked at again. The same settings again change nothing. */
export function applyConfig(step: Step, record: ConfigRecord): void {
  const config = completeConfig(record.config);
  const before = configOf(step.draft);
  const changed = differences(flatten(before), flatten(config));
  if (Object.keys(changed).length === 0) return;
  step.draft.config = config;
  emit(
    step,
    'CONFIGURATION',
    { gpu: '', eventUs: step.ctx.nowUs, injected: false },
    { event: 'configuration_changed', changed, ...(record.by === undefined ? {} : { by: byDetail(record.by) }) },
  );
  planCanaries(step);
  declareIncidents(step);
  reviewAll(step);
  if (before.mode === 'observe') testNewBuilds(step);
}

function byDetail({ files, ...process }: ConfiguredBy) {
  return { ...process, files: files.map((file) => ({ ...file })) };
}

/** Agents that came with another build while observe mode tested nothing. */
function testNewBuilds(step: Step): void {
  for (const id of attentiveIds(step.draft)) testNewBuild(step, editDevice(step.draft, id));
}

/** Settings by dotted path, as text. */
function flatten(config: CoreConfig): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (value: object, path: string): void => {
    for (const [key, member] of Object.entries(value)) {
      if (typeof member === 'object' && member !== null) visit(member, `${path}${key}.`);
      else found.set(path + key, String(member));
    }
  };
  visit(config, '');
  return found;
}

function differences(before: Map<string, string>, after: Map<string, string>): Record<string, string> {
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort();
  const changed = keys.filter((key) => before.get(key) !== after.get(key));
  return Object.fromEntries(
    changed.map((key) => [key, `${before.get(key) ?? 'unset'} -> ${after.get(key) ?? 'unset'}`]),
  );
}
