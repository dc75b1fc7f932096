import type { Server } from '../grouping/server.js';

/** A replica on two devices. */
export function serverOf(differing: Partial<Server> = {}): Server {
  return {
    ...{ replica: 'r', model: 'm', framework: 'vllm 0.32.0', configHash: 'aa', dtype: 'float32' },
    ...{ gpus: ['GPU-0', 'GPU-1'], libraryVersion: '1', testBuild: false, answers: true },
    ...differing,
  };
}
