// A process that has the addon and finds the fake NVML, as the agent's telemetry child does.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { addonPath } from '../../index.js';

/** Asks functions of the addon by name, in a process with this environment. */
export function startReader(env, { test = false } = {}) {
  const child = fork(import.meta.filename, [addonPath({ test })], { env, serialization: 'advanced' });
  return {
    async ask(call, argument) {
      child.send({ call, argument });
      const [answer] = await once(child, 'message', { signal: AbortSignal.timeout(10_000) });
      return answer;
    },
    [Symbol.dispose]: () => child.kill('SIGKILL'),
  };
}

const [, main, addonFile] = process.argv;
if (main === import.meta.filename) {
  const addon = createRequire(import.meta.url)(addonFile);
  process.on('message', ({ call, argument }) => process.send(addon[call](argument)));
}
