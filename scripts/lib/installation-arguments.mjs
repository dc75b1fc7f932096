// Arguments by which a service's command means an installation that was started in this clone.
import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from './paths.mjs';

/**
 * `--data DIR` names the installation's data folder, as it does for `npm start`. With a configuration of their own, and where
 * nothing was started yet, arguments stay as they are.
 * @param {'ledger' | 'engine' | 'agent'} service
 * @param {readonly string[]} args
 * @returns {string[]}
 */
export function installationArguments(service, args) {
  const at = args.indexOf('--data');
  const folder = at < 0 ? path.join(ROOT, '.sentinel') : path.resolve(args[at + 1] ?? '');
  const own = at < 0 ? [...args] : args.toSpliced(at, 2);
  return own.some((arg) => arg === '--config' || arg.startsWith('--config='))
    ? own
    : [...own, ...started(folder, service)];
}

function started(folder, service) {
  try {
    return JSON.parse(fs.readFileSync(path.join(folder, 'run', 'arguments.json'), 'utf8'))[service] ?? [];
  } catch {
    return [];
  }
}
