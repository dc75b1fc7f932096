import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENDPOINTS_FILE, type Endpoints } from '@sentinel/cli/endpoints';
import { ROOT } from './paths.js';
import type { Stack } from './stack.js';

export const CLI = join(ROOT, 'packages/cli/dist/main.js');
const TIMEOUT_MS = 120_000;

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program under this Node to its end. */
export function runNode(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return runProgram(process.execPath, [file, ...args], env);
}

export function runProgram(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  input = '',
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, ...env }, timeout: TIMEOUT_MS });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** `sentinel …` against a stack, as its operator. */
export function sentinel(stack: Stack, ...args: string[]): Promise<Outcome> {
  writeEndpoints(stack);
  return runNode(CLI, [...args, '--data', stack.folder]);
}

/** The same with `--output json`, parsed. @throws Error with what it wrote when it fails */
export async function sentinelJson<T>(stack: Stack, ...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await sentinel(stack, ...args, '--output', 'json');
  if (code !== 0) throw new Error(`sentinel ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`);
  return JSON.parse(stdout) as T;
}

/** What the command line reads to find a stack's services. */
export function writeEndpoints(stack: Stack): void {
  const files = stack.certificates?.files('operator');
  const endpoints: Endpoints = {
    engine: stack.address.engine,
    ledger: stack.address.ledger,
    operatorTokenPath: stack.secrets.operatorTokenFile,
    ...(files === undefined ? {} : { tls: { ...files, serverName: 'localhost' } }),
  };
  mkdirSync(join(stack.folder, 'run'), { recursive: true });
  writeFileSync(join(stack.folder, ENDPOINTS_FILE), JSON.stringify(endpoints));
}
