// `node scripts/sbom.mjs [FOLDER]`: a bill of materials per image, as CycloneDX, into FOLDER (by default .sentinel/sbom).
import './lib/require-node.mjs';

import('./commands/sbom.mjs');
