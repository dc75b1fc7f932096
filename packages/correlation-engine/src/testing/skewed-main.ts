import { readFileSync } from 'node:fs';
import { type Clock, systemClock } from '@sentinel/service-kit/clock';
import { loadConfigForMain } from '@sentinel/service-kit/config';
import { runService } from '@sentinel/service-kit/lifecycle';
import { createLogger } from '@sentinel/service-kit/logging';
import { Engine } from '../build.js';

// The engine's program with a wall clock that jumps: by as many milliseconds as the file says that ENGINE_CLOCK_FILE names. The
// product offers no way to do so.

/** How soon a jump is noticed. */
const LOOK_MS = 100;

let skewMs = 0;
const look = (): void => {
  const ms = Number(readFileSync(process.env.ENGINE_CLOCK_FILE ?? '', 'utf8'));
  if (Number.isFinite(ms)) skewMs = ms;
};
const clock: Clock = {
  nowUs: () => systemClock.nowUs() + BigInt(skewMs) * 1000n,
  monotonicMs: () => systemClock.monotonicMs(),
};

const loaded = loadConfigForMain({
  section: 'correlation_engine',
  argv: process.argv.slice(2),
  env: process.env,
  program: 'skewed-main',
  summary: 'The engine, with a clock that jumps.',
});
if (loaded !== undefined) {
  look();
  setInterval(look, LOOK_MS).unref();
  const log = createLogger('correlation-engine', loaded.logging);
  await runService((fatal) => new Engine({ loaded, log, fatal, clock }), { log, readyFile: loaded.readyFile ?? '' });
}
