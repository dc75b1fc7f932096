import type { BatchProblem } from './check-batch.js';
import { DEVICE_ID_RULE, isDeviceId } from './device-id.js';
import type { Sample } from './record.js';

/** Bounds of one record: far above what an agent sends, far below what would hurt. */
const MAX_SAMPLES = 1_024;
export const MAX_FIELDS = 512;
const MAX_TEXT_LENGTH = 256;
const FIELD_NAME = /^[a-z][a-z0-9_]{0,63}$/;
const PRINTABLE = /^[^\p{Cc}]*$/u;

/** What is wrong with samples that no honest agent would send; undefined = nothing. Fields are paths inside TelemetryBatch. */
export function checkTelemetry(samples: readonly Sample[]): BatchProblem | undefined {
  if (samples.length > MAX_SAMPLES) return { field: 'samples', hint: `has more than ${MAX_SAMPLES}` };
  for (const [k, sample] of samples.entries()) {
    const problem = checkSample(sample);
    if (problem !== undefined) return { ...problem, field: `samples[${k}].${problem.field}` };
  }
  return undefined;
}

function checkSample({ deviceId, values, texts }: Sample): BatchProblem | undefined {
  if (!isDeviceId(deviceId)) return { field: 'device_id', hint: DEVICE_ID_RULE };
  const names = [...Object.keys(values), ...Object.keys(texts)];
  if (names.length > MAX_FIELDS) return { field: 'values', hint: `has more than ${MAX_FIELDS} fields` };
  const misnamed = names.find((name) => !FIELD_NAME.test(name));
  if (misnamed !== undefined)
    return {
      field: 'values',
      hint: `has a name ${shown(misnamed)} that is not one of lower-case letters, digits and "_"`,
    };
  for (const [name, value] of Object.entries(values)) {
    if (!Number.isFinite(value)) return { field: `values.${name}`, hint: 'must be a finite number' };
  }
  for (const [name, text] of Object.entries(texts)) {
    if (text.length > MAX_TEXT_LENGTH) return { field: `texts.${name}`, hint: `is longer than ${MAX_TEXT_LENGTH}` };
    if (!PRINTABLE.test(text)) return { field: `texts.${name}`, hint: 'has a control character' };
  }
  return undefined;
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 32));
}
