import type { Hold } from '@sentinel/contracts/sentinel/v1/audit.js';
import { EXIT, SentinelError } from '@sentinel/service-kit/errors';
import type { Command, LedgerProgram } from './index.js';
import { operate } from './operate.js';

/** hold add | list | remove ID */
export const hold: Command = async (program, { stdout }) => {
  const [action = '', id = '', ...more] = program.positionals;
  if (action === 'add' && id === '') {
    const { hold: made } = await operate(program, (operations) => operations.addHold(scopeOf(program)));
    if (made !== undefined) stdout.write(`${holdText(made)}\n`);
    return EXIT.ok;
  }
  if (action === 'list' && id === '') {
    const { holds } = await operate(program, (operations) => operations.listHolds());
    stdout.write(holds.length === 0 ? 'No hold is in force.\n' : holds.map((each) => `${holdText(each)}\n`).join(''));
    return EXIT.ok;
  }
  if (action === 'remove' && /^\d{1,15}$/.test(id) && more.length === 0) {
    const request = { id: BigInt(id), reason: reasonOf(program) };
    const { seq } = await operate(program, (operations) => operations.removeHold(request));
    stdout.write(`hold ${id} is removed, as entry ${seq} says\n`);
    return EXIT.ok;
  }
  throw usage('hold', 'hold needs add, list, or remove ID');
};

function scopeOf(program: LedgerProgram) {
  const { gpu = '', producer = '', from = '', to = '' } = program.flags;
  return { gpu, producer, fromUs: us('--from', from), toUs: us('--to', to), reason: reasonOf(program) };
}

function reasonOf({ flags }: LedgerProgram): string {
  if (flags.reason === undefined) throw usage('--reason', 'a hold, and its removal, needs a --reason');
  return flags.reason;
}

function us(field: string, text: string): bigint {
  if (text === '') return 0n;
  const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw usage(field, `${text} is no date such as 2026-01-31`);
  return BigInt(ms) * 1000n;
}

function holdText({ id, gpu, producer, fromUs, toUs, reason, by, addedUs }: Hold): string {
  const time = (at: bigint): string => new Date(Number(at / 1000n)).toISOString();
  const scope = [
    gpu === '' ? '' : `GPU ${gpu}`,
    producer === '' ? '' : `producer ${producer}`,
    fromUs === 0n ? '' : `from ${time(fromUs)}`,
    toUs === 0n ? '' : `to ${time(toUs)}`,
  ].filter((part) => part !== '');
  return `hold ${id}: ${scope.join(', ')}; ${reason} (${by}, ${time(addedUs)})`;
}

function usage(field: string, message: string): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', field, message });
}
