import { readFileSync } from 'node:fs';
import { ConfigError } from '@sentinel/service-kit/config';
import { MAX_PROMPTS } from './judge/repeatability.js';

/** As the wire contract has it. */
const MAX_PROMPT_BYTES = 4_096;

/** Different lengths and scripts, so that different shapes of the model's products are computed. */
const PROMPTS: readonly string[] = [
  'The capital of France is',
  'Count from one to twenty in words: one, two, three,',
  'def fibonacci(n):\n    """Returns the n-th Fibonacci number."""\n    if n < 2:\n        return n\n    return',
  'A train leaves at 9:40 and arrives at 13:05 after a stop of twelve minutes. It was moving for',
  'Zwei Äpfel und drei Birnen kosten zusammen 4,70 €. Ein Apfel kostet 0,85 €. Eine Birne kostet also',
  '0.1 + 0.2 = 0.3 and 1/3 = 0.333 and sqrt(2) = 1.414 and pi = 3.14159 and e = 2.71828 and ln(2) =',
  'Translate into French, Spanish and Japanese, one line each. English: "Where is the library?" French: "Où est la bibliothèque ?" Spanish: "¿Dónde está la biblioteca?" Japanese:',
  'It was a bright cold day, and the clocks were striking. The man at the door had come a long way, through rain and then through snow, and he carried nothing but a letter that he had not opened. He looked at the house for a while before he knocked, as if he were counting its windows, and when nobody came he knocked again, louder, and said',
];

/**
 * Prompts of canaries.
 * @param file one a line; '' = those of the product
 * @throws ConfigError (exit status 78)
 */
export function promptsOf(file: string): readonly string[] {
  if (file === '') return PROMPTS;
  const key = 'inference_monitor.canary.prompts_file';
  const refuse = (reason: string) => new ConfigError([{ key, reason }]);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw refuse(`cannot read ${file} (${(cause as Error).message})`);
  }
  const prompts = text.split('\n').filter((line) => line.trim() !== '');
  if (prompts.length < 1 || prompts.length > MAX_PROMPTS)
    throw refuse(`${file} must have 1 to ${MAX_PROMPTS} lines, and has ${prompts.length}`);
  const long = prompts.findIndex((prompt) => Buffer.byteLength(prompt) > MAX_PROMPT_BYTES);
  if (long >= 0) throw refuse(`prompt ${long + 1} of ${file} is longer than ${MAX_PROMPT_BYTES} bytes`);
  return prompts;
}
