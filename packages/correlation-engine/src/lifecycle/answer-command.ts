/** Command lines that answer a proposal, as an operator can copy them; the dots stand for the operator's own words. */
export function answerCommand(answer: 'approve' | 'reject', id: string): string {
  return `npx sentinel ${answer} ${shellWord(id)} --reason "…"`;
}

/** An operator may have chosen any text as the id of an order. */
function shellWord(text: string): string {
  return /^[\w.:@%+=,/][\w.:@%+=,/-]*$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
