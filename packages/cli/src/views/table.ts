import { length } from './wrap.js';

const GAP = '  ';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** Plain columns, as wide as their widest cell; colour codes in cells do not count as width. A column without content is left out. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const used = columns.map((_, i) => i).filter((i) => rows.length === 0 || rows.some((row) => (row[i] ?? '') !== ''));
  const titles = columns.map((column) => column.title);
  const widths = columns.map((_, i) => Math.max(...[titles, ...rows].map((row) => length(row[i] ?? ''))));
  const line = (cells: readonly string[]): string =>
    used
      .map((i) => pad(cells[i] ?? '', widths[i] ?? 0, columns[i]?.align ?? 'left'))
      .join(GAP)
      .trimEnd();
  return [titles, ...rows].map(line).join('\n');
}

function pad(cell: string, size: number, align: 'left' | 'right'): string {
  const fill = ' '.repeat(Math.max(0, size - length(cell)));
  return align === 'right' ? fill + cell : cell + fill;
}
