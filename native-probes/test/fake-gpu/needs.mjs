// What a test on the fake GPU needs of the machine; where it is not there the test is skipped, in CI it fails.
import { hasCudaToolchain } from '../../scripts/cuda-toolchain.mjs';
import { canBuildFakeGpu } from './index.mjs';

function skipped(missing) {
  if (missing === undefined || process.env.CI === 'true') return {};
  return { skip: missing };
}

/** Options of a test. */
export const needsFakeGpu = skipped(canBuildFakeGpu ? undefined : 'the fake GPU is for x86-64 Linux');

/** Of a test that runs kernels: the fake looks into the cubins that the addon gives it. */
export const needsKernels = canBuildFakeGpu
  ? skipped(hasCudaToolchain() ? undefined : 'no kernels in the addon: run "npm run cuda" and build again')
  : needsFakeGpu;
