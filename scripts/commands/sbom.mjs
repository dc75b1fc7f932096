import path from 'node:path';
import { bootstrap } from '../lib/bootstrap.mjs';
import { IMAGES, SBOM_FOLDER, writeSbom } from '../lib/sbom.mjs';
import { exitWith } from '../lib/setup-error.mjs';

try {
  const folder = path.resolve(process.argv[2] ?? SBOM_FOLDER);
  const toolchain = await bootstrap({ upTo: 'install' });
  for (const image of IMAGES)
    process.stdout.write(`${await writeSbom(image, path.join(folder, `${image}.cdx.json`), toolchain)}\n`);
} catch (error) {
  exitWith(error);
}
