import { controlPlane } from '../lib/kubernetes/control-plane.mjs';
import { exitWith } from '../lib/setup-error.mjs';

try {
  process.stdout.write(`${await controlPlane()}\n`);
} catch (error) {
  exitWith(error);
}
