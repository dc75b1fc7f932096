import type { BatchProblem } from './check-batch.js';
import { DEVICE_ID_RULE, isDeviceId } from './device-id.js';
import type { HelloDevice, HelloRecord } from './record.js';
import { MAX_DEVICES_PER_NODE } from './register.js';

/** Bounds of what a hello may describe: above any device that exists. */
export const MAX_SMS = 1024;
const MAX_FAMILIES = 64;
const MAX_SM = 65_535;

/**
 * What is wrong with a hello that no honest agent would send; undefined = nothing. `field` is a path inside Hello. The shell
 * answers INVALID_ARGUMENT and ends the stream.
 */
export function checkHello(hello: Pick<HelloRecord, 'devices'>): BatchProblem | undefined {
  const { devices } = hello;
  if (devices.length > MAX_DEVICES_PER_NODE)
    return { field: 'devices', hint: `names ${devices.length} devices; name at most ${MAX_DEVICES_PER_NODE}` };
  const ids = new Set<string>();
  for (const [i, device] of devices.entries()) {
    const at = `devices[${i}]`;
    if (ids.has(device.id)) return { field: `${at}.id`, hint: 'repeats an earlier device' };
    ids.add(device.id);
    const problem = checkDevice(device, at);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function checkDevice(device: HelloDevice, at: string): BatchProblem | undefined {
  if (!isDeviceId(device.id)) return { field: `${at}.id`, hint: DEVICE_ID_RULE };
  const { sms, families } = device;
  if (sms.length === 0 || sms.length > MAX_SMS) return { field: `${at}.sms`, hint: `must name 1 to ${MAX_SMS} SMs` };
  const wrong = sms.findIndex((sm) => !(sm >= 0 && sm <= MAX_SM));
  if (wrong >= 0) return { field: `${at}.sms[${wrong}]`, hint: `${sms[wrong]} is outside 0..${MAX_SM}` };
  if (new Set(sms).size < sms.length) return { field: `${at}.sms`, hint: 'names an SM twice' };
  if (families.length > MAX_FAMILIES)
    return { field: `${at}.families`, hint: `names ${families.length}; name at most ${MAX_FAMILIES}` };
  if (new Set(families.map((entry) => entry.family)).size < families.length)
    return { field: `${at}.families`, hint: 'names a family twice' };
  const untested = families.findIndex(
    (entry) => entry.selfTestSmsPassed > entry.selfTestSmsRun || entry.selfTestSmsRun > sms.length,
  );
  return untested < 0
    ? undefined
    : {
        field: `${at}.families[${untested}]`,
        hint: 'more SMs passed the self test than ran it, or ran it than there are',
      };
}
