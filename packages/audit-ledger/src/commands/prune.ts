import type { PruningPlan } from '@sentinel/contracts/sentinel/v1/audit.js';
import { EXIT, SentinelError } from '@sentinel/service-kit/errors';
import type { Command } from './index.js';
import { operate } from './operate.js';

const DAY_MS = 86_400_000;

/** Shows what would go and how to confirm it, or does it. 1: nothing would go. */
export const prune: Command = async (program, { stdout }) => {
  const { before, leaves, confirm, 'dry-run': dryRun } = program.flags;
  if (before === undefined) throw usage('--before', 'prune needs --before DATE');
  if (dryRun === (confirm !== undefined)) throw usage('--confirm', 'prune needs either --dry-run or --confirm TOKEN');
  const beforeUs = BigInt(momentMs(before)) * 1000n;
  return await operate(program, async (operations) => {
    if (confirm !== undefined) {
      const done = await operations.prune({ beforeUs, leaves, confirmToken: confirm });
      const { intentSeq, doneSeq, freedBytes, plan } = done;
      stdout.write(`${planText(plan, 'pruned')}freed      ${freedBytes} bytes\n`);
      stdout.write(`recorded   entry ${intentSeq} announces it, entry ${doneSeq} concludes it\n`);
      return EXIT.ok;
    }
    const { plan, confirmToken } = await operations.plan({ beforeUs, leaves });
    stdout.write(planText(plan, 'would go'));
    if (confirmToken === '') {
      stdout.write('Nothing would go.\n');
      return EXIT.negative;
    }
    const flags = `--before ${before}${leaves ? ' --leaves' : ''}`;
    stdout.write(`To do it, for ever: sentinel-audit-ledger prune ${flags} --confirm ${confirmToken}\n`);
    return EXIT.ok;
  });
};

function planText(plan: PruningPlan | undefined, verb: string): string {
  if (plan === undefined) return '';
  const lines = [
    `${verb.padEnd(10)} ${plan.details} details of entries below ${plan.detailsEnd}, ${plan.leaves} leaves of entries below ${plan.leavesEnd}, about ${plan.bytes} bytes`,
    `kept       ${plan.keptOwn} entries of the ledger itself (seals, prunings, holds), ${plan.keptHeld} held`,
    'kept       every hash, checkpoint and seal: whatever was proven stays provable',
    ...plan.notes.map((note) => `note       ${note}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** A date or time of ISO 8601, UTC where it names no zone, or a number of days ago such as 365d. */
function momentMs(text: string): number {
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  if (days !== undefined) return Date.now() - Number(days) * DAY_MS;
  const zoned = /T/.test(text) && !/(Z|[+-]\d\d:\d\d)$/.test(text) ? `${text}Z` : text;
  const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(zoned) : Number.NaN;
  if (Number.isNaN(ms) || ms < 0)
    throw usage('--before', `${text} is neither a date such as 2026-01-31 nor days such as 365d`);
  return ms;
}

function usage(field: string, message: string): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', field, message });
}
