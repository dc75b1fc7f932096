import { stripVTControlCharacters } from 'node:util';

/** Columns that texts are made for. */
export const WIDTH = 80;
/** No terminal is taken for narrower: words would stand alone. */
export const NARROWEST = 40;

/** A narrower terminal has its own; what goes to a file or a pipe is as wide as ever. */
function terminalWidth(): number {
  const { columns = WIDTH } = process.stdout;
  return Math.max(NARROWEST, Math.min(WIDTH, columns));
}

/** Breaks a text at blanks so that no line is longer than `width`; a single longer word stays whole. Colour codes do not count. */
export function wrap(text: string, indent = '', width = terminalWidth()): string[] {
  const lines: string[] = [];
  let line = '';
  for (const part of text.split(/\s+/).filter((each) => each !== '')) {
    if (line !== '' && length(indent) + length(line) + 1 + length(part) > width) {
      lines.push(indent + line);
      line = '';
    }
    line = line === '' ? part : `${line} ${part}`;
  }
  return line === '' ? lines : [...lines, indent + line];
}

/** The same with `first` before the first line and blanks of that length before the others. */
export function hang(first: string, text: string, width = terminalWidth()): string[] {
  const lines = wrap(text, ' '.repeat(length(first)), width);
  const [head = ''] = lines;
  return [`${first}${head.trimStart()}`.trimEnd(), ...lines.slice(1)];
}

export function length(text: string): number {
  return stripVTControlCharacters(text).length;
}
