// SPDX-License-Identifier: Apache-2.0
// Talks to `batchllm simulate` with the official `@anthropic-ai/sdk` client:
//   node anthropic_client.mjs BASE_URL LIMITED_BASE_URL
// LIMITED_BASE_URL is a second simulator started with --rpm 1. Node 18 or newer.
import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import { isRow, pixel, question, refusal, rowSchema, run } from './client_checks.mjs';

// The client puts "/v1" before its paths by itself.
const [baseURL, limitedURL] = process.argv.slice(2).map((url) => url.replace(/\/v1$/, ''));
const options = { apiKey: 'sk-ant-simulated', maxRetries: 0, timeout: 20_000 };
const client = new Anthropic({ baseURL, ...options });
const request = {
  model: 'claude-sonnet-5', max_tokens: 100, system: 'You sort tickets.',
  messages: [{ role: 'user', content: question }],
};

await run({
  async 'models.list and models.retrieve'() {
    const ids = [];
    for await (const model of client.models.list()) {
      assert.equal(model.type, 'model');
      ids.push(model.id);
    }
    assert.ok(ids.includes('claude-sonnet-5'));
    assert.equal((await client.models.retrieve('claude-sonnet-5')).id, 'claude-sonnet-5');
    assert.ok((await refusal(client.models.retrieve('none'))) instanceof Anthropic.NotFoundError);
  },

  async 'a message, twice the same'() {
    const { data, response } = await client.messages.create(request).withResponse();
    assert.match(response.headers.get('request-id'), /^req_/);
    assert.equal(data.type, 'message');
    assert.deepEqual(data.content, [{ type: 'text', text: 'bug' }]);
    assert.equal(data.stop_reason, 'end_turn');
    assert.ok(data.usage.input_tokens > 0 && data.usage.output_tokens > 0);
    const again = await client.messages.create(request);
    assert.deepEqual(again.content, data.content);
    assert.equal(again.id, data.id);
  },

  async 'a message, streamed'() {
    const story = { ...request, messages: [{ role: 'user', content: 'Say: one two three' }] };
    const whole = await client.messages.create(story);
    const events = [];
    const stream = client.messages.stream(story).on('text', (text) => events.push(text));
    const message = await stream.finalMessage();
    assert.deepEqual(message.content, whole.content);
    assert.equal(events.join(''), whole.content[0].text);
    assert.ok(events.length > 1);
    assert.equal(message.stop_reason, 'end_turn');
    assert.equal(message.usage.output_tokens, whole.usage.output_tokens);
  },

  async 'cut off by max_tokens'() {
    const message = await client.messages.create({ ...request, max_tokens: 1,
      messages: [{ role: 'user', content: 'Tell a story about a long, long road' }] });
    assert.equal(message.stop_reason, 'max_tokens');
    assert.equal(message.usage.output_tokens, 1);
  },

  async 'a tool that must be called, plain and streamed'() {
    const forced = {
      ...request, tools: [{ name: 'row', input_schema: rowSchema }],
      tool_choice: { type: 'tool', name: 'row' },
    };
    const message = await client.messages.create(forced);
    assert.equal(message.stop_reason, 'tool_use');
    assert.equal(message.content[0].name, 'row');
    assert.ok(isRow(message.content[0].input));
    const streamed = await client.messages.stream(forced).finalMessage();
    assert.deepEqual(streamed.content[0].input, message.content[0].input);
  },

  async 'an answer in a schema'() {
    const message = await client.messages.create({
      ...request, output_config: { format: { type: 'json_schema', schema: rowSchema } },
    });
    assert.ok(isRow(JSON.parse(message.content[0].text)));
  },

  async 'a picture is taken'() {
    const source = { type: 'base64', media_type: 'image/png', data: pixel };
    const message = await client.messages.create({ ...request, messages: [{ role: 'user',
      content: [{ type: 'image', source }, { type: 'text', text: question }] }] });
    assert.equal(message.content[0].text, 'bug');
  },

  async 'errors have their class and type'() {
    const error = await refusal(client.messages.create({ ...request, max_tokens: undefined }));
    assert.ok(error instanceof Anthropic.BadRequestError);
    assert.equal(error.error.error.type, 'invalid_request_error');
    assert.match(error.error.request_id, /^req_/);
  },

  async '429 with its headers'() {
    const limited = new Anthropic({ baseURL: limitedURL, ...options });
    const { response } = await limited.messages.create(request).withResponse();
    assert.equal(response.headers.get('anthropic-ratelimit-requests-limit'), '1');
    assert.equal(response.headers.get('anthropic-ratelimit-requests-remaining'), '0');
    const error = await refusal(limited.messages.create(request));
    assert.ok(error instanceof Anthropic.RateLimitError);
    assert.equal(error.error.error.type, 'rate_limit_error');
    assert.ok(Number(error.headers.get('retry-after')) >= 1);
    assert.ok(Date.parse(error.headers.get('anthropic-ratelimit-requests-reset')) > 0);
  },
});
