import { deviceOf, editDevice, nodeOf } from '../evidence/draft.js';
import type { AgentEventsRecord } from '../evidence/record.js';
import { emit, type Step } from '../evidence/step.js';
import { noteSignal } from '../patterns/signals.js';
import { noteEvent } from './on-gap.js';
import { softEventOf, takeSoftEvent } from './take-soft-event.js';

/** Ledger entries for the events of one record; the rest of a flood is counted in one more entry. */
export const MAX_AGENT_EVENTS = 32;
const MAX_DETAIL_LENGTH = 1024;
/** Of the newest loud fault, which is kept with the device. */
const MAX_LOUD_DETAIL_LENGTH = 128;
/** Xids that a program usually causes, as docs/telemetry.md has them. */
const FAULT_OF_A_PROGRAM = /^Xid (13|31|43|45)\b/;
/** Events that say that something computed wrongly or broke, as opposed to what happens to a process. */
const ANOMALIES: ReadonlySet<string> = new Set(['golden_disagreed', 'self_test_failed', 'loud_fault']);

/** What happened to the agent itself: recorded, and, but for loud faults, evidence of nothing. */
export function applyAgentEvents(step: Step, record: AgentEventsRecord): void {
  for (const entry of record.events.slice(0, MAX_AGENT_EVENTS)) {
    const eventUs = noteEvent(step, record.node, entry.timeUs);
    const own = deviceOf(step.draft, entry.deviceId)?.node === record.node;
    const subject = { gpu: own ? entry.deviceId : '', eventUs, injected: record.testBuild };
    const loud = own && entry.event === 'loud_fault';
    if (loud) noteLoudFault(step, entry.deviceId, eventUs, entry.detail);
    emit(step, ANOMALIES.has(entry.event) ? 'ANOMALY' : 'SYSTEM', subject, {
      event: entry.event,
      node: record.node,
      build_id: record.buildId,
      sequence: record.sequence,
      detail: entry.detail.slice(0, MAX_DETAIL_LENGTH),
    });
    if (loud) takeLoudFault(step, record, entry.deviceId, eventUs, entry.detail);
  }
  const more = record.events.length - MAX_AGENT_EVENTS;
  if (more <= 0) return;
  const subject = { gpu: '', eventUs: step.ctx.nowUs, injected: record.testBuild };
  emit(step, 'SYSTEM', subject, { event: 'agent_events_more', node: record.node, sequence: record.sequence, more });
}

/** For whoever asks why the device is in its state. */
function noteLoudFault(step: Step, deviceId: string, lastUs: number, detail: string): void {
  const device = editDevice(step.draft, deviceId);
  const count = (device.loudFaults?.count ?? 0) + 1;
  noteSignal(device, 'loud_fault', lastUs);
  device.loudFaults = { count, lastUs, lastDetail: detail.slice(0, MAX_LOUD_DETAIL_LENGTH) };
}

/** Hardware that breaks loudly may compute wrongly as well: soft evidence. Not so of a test build, for it would outlive the test. */
function takeLoudFault(
  step: Step,
  { node, testBuild }: AgentEventsRecord,
  deviceId: string,
  eventUs: number,
  detail: string,
): void {
  if (testBuild || FAULT_OF_A_PROGRAM.test(detail) || deviceOf(step.draft, deviceId)?.replaced !== null) return;
  takeSoftEvent(step, deviceId, softEventOf(nodeOf(step.draft, node), 'agent/loud-fault', eventUs));
}
