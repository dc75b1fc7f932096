import { createServer } from 'node:net';

/** A server of its own process that answers each request at once: what is measured is what lies before it. Its first line of output is its port. */
const ANSWER_BYTES = 1_024;
const HEAD_END = '\r\n\r\n';

const body = JSON.stringify({
  id: 'cmpl-1',
  object: 'text_completion',
  model: 'm',
  choices: [{ index: 0, text: 'x'.repeat(ANSWER_BYTES), logprobs: null, finish_reason: 'length' }],
  usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
});
const answer = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}${HEAD_END}${body}`;

const server = createServer({ noDelay: true }, (socket) => {
  let text = '';
  socket.setEncoding('latin1').on('data', (bytes: string) => {
    text += bytes;
    for (let end = requestEnd(text); end > 0; end = requestEnd(text)) {
      text = text.slice(end);
      socket.write(answer);
    }
  });
  socket.on('error', () => undefined);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' ? address?.port : 0}\n`);
});

function requestEnd(text: string): number {
  const head = text.indexOf(HEAD_END);
  if (head < 0) return 0;
  const length = Number(/content-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? 0);
  const end = head + HEAD_END.length + length;
  return text.length < end ? 0 : end;
}
