import { type Draft, nodeOf } from '../draft.js';
import type { ComparisonRecord } from '../job-record.js';

/** A job on CPUs knows no device: an answer without one is that of its node, where that has a single device. */
export function withOnlyDevices(draft: Draft, record: ComparisonRecord): ComparisonRecord {
  if (record.answers.every(({ gpu }) => gpu !== '')) return record;
  const onlyDevice = (node: string): string => {
    const ids = nodeOf(draft, node)?.deviceIds ?? [];
    return ids.length === 1 ? (ids[0] ?? '') : '';
  };
  const answers = record.answers.map((answer) =>
    answer.gpu === '' ? { ...answer, gpu: onlyDevice(answer.node) } : answer,
  );
  const own = onlyDevice(record.node);
  const gpus = record.gpus.length === 0 && own !== '' ? [own] : record.gpus;
  return { ...record, answers, gpus };
}
