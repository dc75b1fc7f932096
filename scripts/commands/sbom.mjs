import path from 'node:path';
import { bootstrap } from '../lib/bootstrap.mjs';
import { COMPONENTS } from '../lib/docker/product.mjs';
import { SBOM_FOLDER, writeSbom } from '../lib/sbom.mjs';
import { exitWith } from '../lib/setup-error.mjs';

try {
  const folder = path.resolve(process.argv[2] ?? SBOM_FOLDER);
  const toolchain = await bootstrap({ upTo: 'install' });
  for (const component of COMPONENTS)
    process.stdout.write(`${await writeSbom(component, path.join(folder, `${component}.cdx.json`), toolchain)}\n`);
} catch (error) {
  exitWith(error);
}
