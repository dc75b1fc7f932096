import fs from 'node:fs';
import path from 'node:path';
import { withLock } from './lock.mjs';
import { ROOT, SETUP_LOGS, STAMPS, TOOLCHAIN } from './paths.mjs';
import { requireCompiler, requirePython, requireSpace } from './preflight.mjs';
import { createProgress } from './progress.mjs';
import { stagesFor } from './stages.mjs';
import { readStamp, writeStamp } from './stamps.mjs';
import { hasToolchain, installToolchain, locateToolchain, recordToolchain } from './toolchain.mjs';

/**
 * Makes the clone ready to run. Safe to call from several processes, to interrupt and to repeat; where everything is
 * done already it only compares fingerprints.
 * @param {{ upTo?: 'install' | 'build' }} [options] `install` stops before compiling, for tools that need only the packages
 * @returns {Promise<import('./toolchain.mjs').Toolchain>}
 * @throws {import('./setup-error.mjs').SetupError}
 */
export async function bootstrap({ upTo = 'build' } = {}) {
  const toolchain = locateToolchain();
  if (isReady(toolchain, upTo)) return toolchain;
  fs.mkdirSync(SETUP_LOGS, { recursive: true });
  const progress = createProgress();
  await withLock(
    path.join(TOOLCHAIN, 'lock'),
    () => setUp(toolchain, upTo, progress),
    (holder) => progress.note(`Another set-up of this clone runs (process ${holder}); waiting for it.`),
  );
  progress.end();
  return toolchain;
}

async function setUp(toolchain, upTo, progress) {
  checkMachine(toolchain, upTo);
  if (!hasToolchain(toolchain)) await progress.step('Getting Node and pnpm', () => installToolchain(toolchain));
  recordToolchain(toolchain);
  const { install, cuda, generate, compile, native } = stagesFor(toolchain);
  const run = (stage) => runStale(stage, progress);
  await run(install);
  if (upTo === 'install') return;
  if (cuda) await run(cuda);
  const compiled = run(generate).then(() => run(compile));
  const results = await Promise.allSettled([compiled, run(native)]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Asks for what the machine must bring only where a stage will need it. */
function checkMachine(toolchain, upTo) {
  if (!hasToolchain(toolchain)) requireSpace(ROOT);
  if (upTo === 'build' && !isFresh(stagesFor(toolchain).native)) {
    requireCompiler();
    requirePython();
  }
}

function isReady(toolchain, upTo) {
  if (!hasToolchain(toolchain)) return false;
  const { install, ...build } = stagesFor(toolchain);
  return isFresh(install) && (upTo === 'install' || Object.values(build).every(isFresh));
}

async function runStale(stage, progress) {
  const fingerprint = stage.fingerprint();
  if (readStamp(STAMPS, stage.name) === fingerprint && hasOutputs(stage)) return;
  await progress.step(stage.text, stage.run);
  writeStamp(STAMPS, stage.name, fingerprint);
}

function isFresh(stage) {
  return readStamp(STAMPS, stage.name) === stage.fingerprint() && hasOutputs(stage);
}

function hasOutputs(stage) {
  return stage.outputs().every((output) => fs.existsSync(path.join(ROOT, output)));
}
