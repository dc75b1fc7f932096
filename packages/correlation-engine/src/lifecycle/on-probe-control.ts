import { deviceOf, editNode, nodeOf } from '../evidence/draft.js';
import type { NodeControl } from '../evidence/model/node.js';
import type { PauseRecord, ScheduleRecord } from '../evidence/record.js';
import { emit, type Step } from '../evidence/step.js';

const NOTHING: NodeControl = { pauses: [], schedule: null };

/** Pauses or resumes the probing of a device; the newest order about it holds. */
export function applyPause(step: Step, { gpu, paused, reason, actor }: PauseRecord): void {
  const device = deviceOf(step.draft, gpu);
  if (device === undefined) return refuse(step, `No device ${gpu} is registered.`);
  const { nowUs } = step.ctx;
  const node = editNode(step.draft, device.node);
  const { pauses, schedule } = node.control ?? NOTHING;
  const others = pauses.filter((pause) => pause.gpu !== gpu && (pause.untilUs === 0 || pause.untilUs > nowUs));
  node.control = { schedule, pauses: paused === null ? others : [...others, { gpu, untilUs: paused.untilUs, reason }] };
  step.effects.controls.push(node.node);
  const until = paused === null ? {} : { until_us: paused.untilUs };
  const event = paused === null ? 'probing_resumed' : 'probing_paused';
  emit(
    step,
    'CONFIGURATION',
    { gpu, eventUs: nowUs, injected: false },
    { event, node: node.node, actor, reason, ...until },
  );
}

/** Sets or clears the schedule that a node's agent follows. */
export function applySchedule(step: Step, { node: name, yaml, reason, actor }: ScheduleRecord): void {
  if (nodeOf(step.draft, name) === undefined) return refuse(step, `No node ${name} is registered.`);
  const node = editNode(step.draft, name);
  const version = yaml === '' ? '' : String(step.ctx.commitSeq);
  const { pauses } = node.control ?? NOTHING;
  node.control = { pauses, schedule: yaml === '' ? null : { yaml, version } };
  step.effects.controls.push(name);
  const event = yaml === '' ? 'schedule_cleared' : 'schedule_set';
  const detail = { event, node: name, actor, reason, version, bytes: yaml.length };
  emit(step, 'CONFIGURATION', { gpu: '', eventUs: step.ctx.nowUs, injected: false }, detail);
}

function refuse(step: Step, message: string): void {
  const hint = 'List the known devices and nodes with `npx sentinel gpus list`.';
  step.effects.refusal = { code: 'NOT_FOUND', message, hint };
}
