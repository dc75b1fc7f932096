import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { temporaryFolder } from '../../temporary-folder.js';
import { checkJars, FILES } from './install.js';

const line = (name: string, content: string): string =>
  `${createHash('sha256').update(content).digest('hex')}  ${name}\n`;

it('a jar that was changed, is missing, or is not listed is refused by name', async () => {
  await using folder = await temporaryFolder();
  writeFileSync(folder.join('a.jar'), 'a');
  writeFileSync(folder.join('b.jar'), 'b');
  await checkJars(folder.path, line('a.jar', 'a') + line('b.jar', 'b'));
  await assert.rejects(checkJars(folder.path, line('a.jar', 'a') + line('b.jar', 'B')), /b\.jar is [0-9a-f]{64}, not/);
  await assert.rejects(checkJars(folder.path, line('a.jar', 'a')), /b\.jar is [0-9a-f]{64}, not undefined/);
  const more = line('a.jar', 'a') + line('b.jar', 'b') + line('c.jar', 'c');
  await assert.rejects(checkJars(folder.path, more), /c\.jar is missing/);
});

it('every listed jar has a checksum of its own', () => {
  const lines = readFileSync(join(FILES, 'jars.sha256'), 'utf8').trim().split('\n');
  assert.ok(lines.includes(lines.find((entry) => entry.endsWith('  cassandra-all-5.0.6.jar')) ?? ''));
  for (const entry of lines) assert.match(entry, /^[0-9a-f]{64} {2}[\w.-]+\.jar$/);
});
