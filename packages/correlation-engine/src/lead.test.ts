import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '@sentinel/test-kit';
import { TestAgent } from './testing/agent.js';
import { TestEngine } from './testing/engine.js';

describe('settings that decisions depend on', () => {
  const engine = new TestEngine();
  before(() => engine.start());
  after(() => engine.remove());

  it('are those of the last reload, also where they are put back before what came between was committed', async () => {
    const decides = async () => (await engine.sql<{ mode: string }>(MODE))[0]?.mode;
    await eventually(async () => (await decides()) === 'enforce', { what: 'the first settings are committed' });
    engine.reload({ mode: 'observe' });
    engine.reload({ mode: 'enforce' });
    // A hello is committed after what was submitted before it.
    const agent = new TestAgent(engine.grpc);
    await agent.connect();
    agent.close();
    assert.equal(await decides(), 'enforce');
  });
});

const MODE = `select body->>'mode' as mode from facts where name = 'config'`;
