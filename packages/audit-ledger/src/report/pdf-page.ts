/** The look of a report on paper: headings, prose, facts and tables that run over pages, each with a footer. */
import PDFDocument from 'pdfkit';

const MARGIN = 50;
const BOTTOM = 60;
const INK = '#1b2733';
const FAINT = '#66727f';
const ACCENT = '#0b5c7a';
const RULE = '#d5dce3';
const SHADE = '#f3f6f9';
export const AMBER = '#9a5b00';
const PAD = 5;
/** Fonts that every reader has, which know Latin letters alone. */
const [PLAIN, BOLD, FIXED] = ['Helvetica', 'Helvetica-Bold', 'Courier'] as const;

export interface Column {
  readonly title: string;
  /** Share of the width. */
  readonly share: number;
  readonly right?: boolean;
}

export interface Cell {
  readonly text: string;
  readonly color?: string;
  readonly bold?: boolean;
}

export class PdfPage {
  readonly #doc: PDFKit.PDFDocument;
  readonly #footer: readonly string[];
  readonly #chunks: Buffer[] = [];

  /** `date`: of the newest entry, so that the same report is the same bytes. */
  constructor(title: string, footer: readonly string[], date: Date) {
    const margins = { top: MARGIN, left: MARGIN, right: MARGIN, bottom: BOTTOM };
    const info = { Title: title, Producer: 'SENTINEL', Creator: 'SENTINEL', CreationDate: date, ModDate: date };
    this.#doc = new PDFDocument({ size: 'A4', margins, bufferPages: true, info });
    this.#doc.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    this.#footer = footer;
  }

  get #width(): number {
    return this.#doc.page.width - 2 * MARGIN;
  }

  get #end(): number {
    return this.#doc.page.height - BOTTOM;
  }

  banner(name: string, title: string, below: string): void {
    this.#doc.rect(0, 0, this.#doc.page.width, 118).fill(ACCENT);
    this.#doc.fillColor('#bfe0ec').font(BOLD).fontSize(9).text(name, MARGIN, 34, { characterSpacing: 2 });
    this.#doc.fillColor('white').fontSize(21).text(printable(title), MARGIN, 50);
    this.#doc.fillColor('#d9edf4').font(PLAIN).fontSize(10).text(printable(below), MARGIN, 82, { width: this.#width });
    this.#doc.y = 138;
  }

  /** A heading stays with what follows it. */
  heading(text: string, beside = ''): void {
    this.#room(110);
    this.#doc.moveDown(0.9);
    this.#doc
      .fillColor(ACCENT)
      .font(BOLD)
      .fontSize(14)
      .text(printable(text), MARGIN, this.#doc.y, { width: this.#width });
    if (beside !== '')
      this.#doc.fillColor(FAINT).font(PLAIN).fontSize(9).text(printable(beside), { width: this.#width });
    this.#doc.moveDown(0.35);
  }

  subheading(text: string): void {
    this.#room(60);
    this.#doc.moveDown(0.5).fillColor(INK).font(BOLD).fontSize(10).text(printable(text), MARGIN).moveDown(0.25);
  }

  prose(text: string, color = INK): void {
    this.#room(28);
    const options = { width: this.#width, lineGap: 1.5 };
    this.#doc
      .fillColor(color)
      .font(PLAIN)
      .fontSize(9.5)
      .text(printable(text), MARGIN, this.#doc.y, options)
      .moveDown(0.4);
  }

  bullets(items: readonly string[]): void {
    for (const item of items) {
      this.#room(28);
      const { y } = this.#doc;
      this.#doc.circle(MARGIN + 4, y + 5, 1.6).fill(FAINT);
      const options = { width: this.#width - 14, lineGap: 1.2 };
      this.#doc
        .fillColor(INK)
        .font(PLAIN)
        .fontSize(9.5)
        .text(printable(item), MARGIN + 14, y, options)
        .moveDown(0.25);
    }
  }

  code(text: string): void {
    this.#doc.font(FIXED).fontSize(8.5);
    const height = this.#doc.heightOfString(text, { width: this.#width - 20 });
    this.#room(height + 20);
    const { y } = this.#doc;
    this.#doc.roundedRect(MARGIN, y, this.#width, height + 14, 3).fill(SHADE);
    this.#doc.fillColor(INK).text(text, MARGIN + 10, y + 7, { width: this.#width - 20 });
    this.#doc.y = y + height + 22;
  }

  /** Big numbers in a row. */
  facts(facts: readonly { readonly label: string; readonly value: string }[]): void {
    this.#room(64);
    const { y } = this.#doc;
    const gap = 10;
    const width = (this.#width - gap * (facts.length - 1)) / facts.length;
    facts.forEach(({ label, value }, i) => {
      const x = MARGIN + i * (width + gap);
      this.#doc.roundedRect(x, y, width, 52, 4).fill(SHADE);
      this.#doc
        .fillColor(INK)
        .font(BOLD)
        .fontSize(16)
        .text(value, x + 10, y + 9, { width: width - 20, lineBreak: false });
      this.#doc
        .fillColor(FAINT)
        .font(PLAIN)
        .fontSize(8)
        .text(label, x + 10, y + 31, { width: width - 16 });
    });
    this.#doc.x = MARGIN;
    this.#doc.y = y + 62;
  }

  table(columns: readonly Column[], rows: readonly (readonly Cell[])[], size = 8.5): void {
    const total = columns.reduce((sum, { share }) => sum + share, 0);
    const widths = columns.map(({ share }) => (share / total) * this.#width);
    const head = (): void =>
      this.#row(
        columns,
        widths,
        columns.map(({ title }) => ({ text: title, bold: true, color: FAINT })),
        size,
        false,
      );
    this.#room(60);
    head();
    rows.forEach((row, i) => {
      const height = this.#height(widths, row, size);
      if (this.#doc.y + height > this.#end) {
        this.#doc.addPage();
        head();
      }
      this.#row(columns, widths, row, size, i % 2 === 0);
    });
    this.#doc.x = MARGIN;
    this.#doc.moveDown(0.6);
  }

  async finish(): Promise<Buffer> {
    const { start, count } = this.#doc.bufferedPageRange();
    for (let page = start; page < start + count; page += 1) this.#foot(page, `page ${page + 1} of ${count}`);
    const ended = new Promise<void>((resolve) => this.#doc.once('end', resolve));
    this.#doc.end();
    await ended;
    return Buffer.concat(this.#chunks);
  }

  #foot(page: number, number: string): void {
    this.#doc.switchToPage(page);
    this.#doc.page.margins.bottom = 0;
    const y = this.#doc.page.height - 36;
    this.#doc
      .moveTo(MARGIN, y - 8)
      .lineTo(MARGIN + this.#width, y - 8)
      .lineWidth(0.5)
      .stroke(RULE);
    this.#doc.fillColor(FAINT).font(PLAIN).fontSize(8);
    this.#footer.forEach((line, i) => {
      this.#doc.text(printable(line), MARGIN, y + 10 * i, { lineBreak: false });
    });
    this.#doc.text(number, MARGIN, y, { width: this.#width, align: 'right', lineBreak: false });
  }

  #height(widths: readonly number[], cells: readonly Cell[], size: number): number {
    const heights = cells.map(({ text, bold = false }, i) => {
      this.#doc.font(bold ? BOLD : PLAIN).fontSize(size);
      return this.#doc.heightOfString(printable(text) || ' ', { width: (widths[i] ?? 0) - 2 * PAD });
    });
    return Math.max(...heights) + 7;
  }

  #row(
    columns: readonly Column[],
    widths: readonly number[],
    cells: readonly Cell[],
    size: number,
    shaded: boolean,
  ): void {
    const height = this.#height(widths, cells, size);
    const { y } = this.#doc;
    if (shaded) this.#doc.rect(MARGIN, y, this.#width, height).fill(SHADE);
    let x = MARGIN;
    cells.forEach(({ text, color = INK, bold = false }, i) => {
      const width = widths[i] ?? 0;
      const align = columns[i]?.right === true ? ('right' as const) : ('left' as const);
      this.#doc
        .font(bold ? BOLD : PLAIN)
        .fontSize(size)
        .fillColor(color);
      this.#doc.text(printable(text), x + PAD, y + 4, { width: width - 2 * PAD, align });
      x += width;
    });
    this.#doc
      .moveTo(MARGIN, y + height)
      .lineTo(MARGIN + this.#width, y + height)
      .lineWidth(0.4)
      .stroke(RULE);
    this.#doc.y = y + height;
  }

  #room(height: number): void {
    if (this.#doc.y + height > this.#end) this.#doc.addPage();
  }
}

/** Letters that the fonts lack are shown as question marks, as the JSON has them whole. */
function printable(text: string): string {
  return text.replaceAll(/[^\n\u0020-\u007e\u00a0-\u00ff]/gu, '?');
}
