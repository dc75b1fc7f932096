// What the image of the agent for GPUs has beyond that of the agent: kernels, which are part of its addon. NVIDIA's compiler made
// them and stayed behind; the driver's libraries are the host's, as for the agent, which opens them as well where they are.
import fs from 'node:fs';
import path from 'node:path';
import { ARCHITECTURES } from '../../native-probes/scripts/cubins.mjs';
import { ROOT } from './paths.mjs';

const REQUIREMENTS = path.join(ROOT, 'native-probes', 'scripts', 'cuda-requirements.txt');
const COMPILER = 'nvidia-cuda-nvrtc-cu12';
const KERNELS = '@sentinel/native-probes|gpu-kernels';

/**
 * @param {string} version of the addon
 * @returns {object} parts of a CycloneDX document: the kernels as its component, their compiler as what formed them
 */
export function gpuKernelsBill(version) {
  const component = {
    'bom-ref': KERNELS,
    type: 'library',
    group: '@sentinel',
    name: 'gpu-kernels',
    version,
    description:
      "GPU kernels, embedded in the addon of native-probes: our code, and routines that NVIDIA's compiler adds, such as a division of 64-bit integers (__cuda_sm…). No library of NVIDIA is linked or in the image.",
    licenses: [{ license: { id: 'Apache-2.0', acknowledgement: 'declared' } }],
    properties: ARCHITECTURES.map((value) => ({ name: 'sentinel:gpu-architecture', value })),
  };
  return {
    metadata: { component },
    components: [],
    dependencies: [{ ref: KERNELS }],
    formulation: [{ components: [compiler()] }],
  };
}

/** By its pin. */
function compiler() {
  const [, version] = new RegExp(`^${COMPILER}==(\\S+)`, 'm').exec(fs.readFileSync(REQUIREMENTS, 'utf8'));
  const purl = `pkg:pypi/${COMPILER}@${version}`;
  return {
    'bom-ref': purl,
    type: 'library',
    publisher: 'NVIDIA',
    name: COMPILER,
    version,
    description: 'NVRTC, which compiled the GPU kernels. It is not in the image.',
    licenses: [{ license: { name: 'LicenseRef-NVIDIA-Proprietary', acknowledgement: 'declared' } }],
    purl,
  };
}
