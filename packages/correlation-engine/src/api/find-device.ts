import { SentinelError } from '@sentinel/service-kit/errors';
import type { CoreState, DeviceState } from '../core.js';

const MAX_NAMED = 4;

/** The device of a full id, or of a prefix that only it has. @throws SentinelError INVALID_ARGUMENT or NOT_FOUND */
export function findDevice(state: CoreState, gpu: string): DeviceState {
  if (gpu === '')
    throw new SentinelError({
      code: 'INVALID_ARGUMENT',
      message: 'gpu is empty',
      field: 'gpu',
      hint: 'Name a device.',
    });
  const exact = state.devices.get(gpu);
  if (exact !== undefined) return exact;
  const matching = [...state.devices.values()].filter((device) => device.id.startsWith(gpu));
  const [first] = matching;
  if (first === undefined) {
    throw new SentinelError({
      code: 'NOT_FOUND',
      message: `no device ${gpu} is registered`,
      field: 'gpu',
      hint: 'List the known ones with `npx sentinel gpus list`.',
    });
  }
  if (matching.length === 1) return first;
  const named = matching.slice(0, MAX_NAMED).map((device) => device.id);
  throw new SentinelError({
    code: 'INVALID_ARGUMENT',
    message: `${matching.length} devices begin with ${gpu}: ${named.join(', ')}${matching.length > MAX_NAMED ? ', …' : ''}`,
    field: 'gpu',
    hint: 'Give more of the id.',
  });
}
