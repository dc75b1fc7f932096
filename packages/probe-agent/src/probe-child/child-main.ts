import type { NativeGpuProbes } from '@sentinel/native-probes';
import { loadNative, type Native } from './native.js';
import type { Answer, Question } from './protocol.js';

// The process that loads the addon: it answers one question at a time and ends with its parent. It imports nothing else, so that
// it stays small.

const [, , addonFile = ''] = process.argv;
const native = loadNative(addonFile);

process.on('disconnect', () => process.exit(0));
// Ctrl-C and a service manager's stop reach the whole process group; the daemon says when to end.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
process.on('message', (question: Question) => {
  process.send?.(answer(question));
});

const NO_GPU_PART = 'the addon was built without its CUDA part';

function gpuPart(addon: Native): NativeGpuProbes {
  if (addon.gpuOpen === undefined) throw new TypeError(NO_GPU_PART);
  return addon as NativeGpuProbes;
}

function answer(question: Question): Answer {
  try {
    return { id: question.id, value: call(native, question) };
  } catch (error) {
    return { id: question.id, error: error instanceof Error ? error.message : String(error) };
  }
}

function call(addon: Native, question: Question): unknown {
  switch (question.call) {
    case 'info':
      return addon.info();
    case 'execute':
      return addon.execute(question.argument);
    case 'measureSlowdown':
      return addon.measureSlowdown(question.argument);
    case 'knownAnswers':
      return addon.knownAnswers(question.argument);
    case 'gpuTelemetry':
      return addon.gpuTelemetry(question.argument);
    case 'gpuXids':
      return addon.gpuXids();
    case 'inject':
      if (addon.inject === undefined) throw new TypeError('this build cannot inject faults');
      addon.inject(question.argument);
      return null;
    case 'falsified':
      return addon.falsified?.() ?? { count: 0, firstUs: null };
    case 'gpuCensus':
      return addon.gpuCensus?.() ?? { built: false, missing: NO_GPU_PART, devices: [] };
    case 'gpuOpen':
      return gpuPart(addon).gpuOpen(question.argument);
    case 'gpuExecute':
      return gpuPart(addon).gpuExecute(question.argument);
    case 'gpuKnownAnswers':
      return gpuPart(addon).gpuKnownAnswers();
  }
}
