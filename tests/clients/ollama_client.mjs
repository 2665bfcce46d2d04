// SPDX-License-Identifier: Apache-2.0
// Talks to `batchllm simulate` with the official `ollama` client:
//   node ollama_client.mjs BASE_URL LIMITED_BASE_URL
// LIMITED_BASE_URL is a second simulator started with --rpm 1. Node 18 or newer.
import assert from 'node:assert/strict';
import { Ollama } from 'ollama';
import { isRow, pixel, question, refusal, rowSchema, run } from './client_checks.mjs';

const [host, limitedHost] = process.argv.slice(2).map((url) => url.replace(/\/v1$/, ''));
const client = new Ollama({ host });
const model = 'llama3.2';
const messages = [{ role: 'system', content: 'You sort tickets.' }, { role: 'user', content: question }];

await run({
  async 'chat, twice the same'() {
    const answer = await client.chat({ model, messages });
    assert.deepEqual(answer.message, { role: 'assistant', content: 'bug' });
    assert.equal(answer.done_reason, 'stop');
    assert.ok(answer.prompt_eval_count > 0 && answer.eval_count > 0);
    assert.deepEqual(await client.chat({ model, messages }), answer);
  },

  async 'chat, streamed'() {
    const story = { model, messages: [{ role: 'user', content: 'Say: one two three' }] };
    const whole = await client.chat(story);
    const pieces = [];
    let last;
    for await (const piece of await client.chat({ ...story, stream: true })) {
      pieces.push(piece.message.content);
      last = piece;
    }
    assert.equal(pieces.join(''), whole.message.content);
    assert.ok(pieces.length > 2);
    assert.equal(last.done, true);
    assert.equal(last.eval_count, whole.eval_count);
  },

  async 'generate'() {
    const answer = await client.generate({ model, prompt: question });
    assert.equal(answer.response, 'bug');
    assert.equal(answer.done, true);
  },

  async 'an answer in a schema'() {
    const answer = await client.chat({ model, messages, format: rowSchema });
    assert.ok(isRow(JSON.parse(answer.message.content)));
  },

  async 'a picture is taken, and told from none'() {
    const pictured = [{ role: 'user', content: question, images: [pixel] }];
    const answer = await client.chat({ model, messages: pictured });
    assert.equal(answer.message.content, 'bug');
  },

  async 'embeddings'() {
    const { embeddings } = await client.embed({ model: 'nomic-embed-text', input: ['one', 'two'] });
    assert.equal(embeddings.length, 2);
    assert.equal(embeddings[0].length, 768);
    assert.notDeepEqual(embeddings[0], embeddings[1]);
  },

  async 'list, show and ps'() {
    const { models } = await client.list();
    assert.ok(models.some(({ name }) => name === 'llama3.2:latest'));
    assert.ok((await client.show({ model })).capabilities.includes('completion'));
    assert.deepEqual((await client.ps()).models, []);
  },

  async 'errors have their status and text'() {
    const error = await refusal(client.chat({ model }));
    assert.equal(error.status_code, 400);
    assert.match(error.error, /messages/);
    assert.equal((await refusal(client.show({ model: 'none' }))).status_code, 404);
  },

  async 'too many requests'() {
    const limited = new Ollama({ host: limitedHost });
    await limited.chat({ model, messages });
    assert.equal((await refusal(limited.chat({ model, messages }))).status_code, 429);
  },
});
