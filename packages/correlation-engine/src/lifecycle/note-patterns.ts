import type { DeviceState } from '../evidence/model/device.js';
import { emit, type Step } from '../evidence/step.js';
import { isInjected } from '../lifecycle/detail.js';
import { patternsOf } from '../patterns/detect.js';

/** Keeps the patterns that hold now; each that was not there before goes to the ledger once. */
export function notePatterns(step: Step, device: DeviceState): void {
  const { nowUs, commitSeq } = step.ctx;
  const before = new Map(device.patterns.map((pattern) => [pattern.name, pattern]));
  const found = patternsOf(step.draft, device, nowUs);
  device.patterns = found.map((pattern) => ({ ...pattern, sinceUs: before.get(pattern.name)?.sinceUs ?? nowUs }));
  for (const { name, confidence, evidence } of found) {
    if (before.has(name)) continue;
    const subject = { gpu: device.id, eventUs: nowUs, injected: isInjected(device) };
    emit(step, 'ANOMALY', subject, {
      event: 'pattern_found',
      pattern: name,
      confidence: confidence.toFixed(6),
      evidence,
      node: device.node,
      commit_seq: commitSeq,
    });
  }
}
