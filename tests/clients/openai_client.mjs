// SPDX-License-Identifier: Apache-2.0
// Talks to `batchllm simulate` with the official `openai` client:
//   node openai_client.mjs BASE_URL [LIMITED_BASE_URL]
// LIMITED_BASE_URL is a second simulator started with --rpm 1; without it 429 is not checked. Prints
// what it checked and exits with 1 when something was not as with OpenAI. Node 18 or newer.
import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { isRow, pixel, refusal, rowSchema, run } from './client_checks.mjs';

const [baseURL, limitedURL] = process.argv.slice(2);
if (!baseURL) {
  console.error('usage: openai_client.mjs BASE_URL [LIMITED_BASE_URL]');
  process.exit(2);
}
// Node's own fetch: the client's older default (node-fetch 2) calls short streams on kept connections
// cut off under Node 18.
const options = { apiKey: 'sk-simulated', maxRetries: 0, timeout: 20_000, fetch: globalThis.fetch };
const client = new OpenAI({ baseURL, ...options });
const question = {
  model: 'gpt-4o-mini',
  messages: [{ role: 'user', content: 'Classify as bug, question or praise: it crashes on start' }],
};

const checks = {
  async 'models.list and models.retrieve'() {
    const ids = [];
    for await (const model of client.models.list()) {
      assert.equal(model.object, 'model');
      ids.push(model.id);
    }
    assert.ok(ids.includes('gpt-4o-mini'));
    assert.equal((await client.models.retrieve('gpt-4o-mini')).id, 'gpt-4o-mini');
    const error = await refusal(client.models.retrieve('no-such-model'));
    assert.ok(error instanceof OpenAI.NotFoundError);
    assert.equal(error.code, 'model_not_found');
  },

  async 'chat, twice the same'() {
    const { data, response } = await client.chat.completions.create(question).withResponse();
    assert.match(response.headers.get('x-request-id'), /^req_/);
    assert.ok(response.headers.has('openai-processing-ms'));
    assert.equal(data.object, 'chat.completion');
    assert.equal(data.choices[0].message.role, 'assistant');
    assert.equal(data.choices[0].message.content, 'bug');
    assert.equal(data.choices[0].finish_reason, 'stop');
    assert.equal(data.usage.total_tokens, data.usage.prompt_tokens + data.usage.completion_tokens);
    assert.deepEqual(await client.chat.completions.create(question), data);
  },

  async 'chat, streamed'() {
    const stream = await client.chat.completions.create({
      ...question, stream: true, stream_options: { include_usage: true },
    });
    let text = '';
    let finish = null;
    let usage = null;
    for await (const chunk of stream) {
      assert.equal(chunk.object, 'chat.completion.chunk');
      text += chunk.choices[0]?.delta.content ?? '';
      finish ??= chunk.choices[0]?.finish_reason ?? null;
      usage ??= chunk.usage ?? null;
    }
    assert.equal(text, 'bug');
    assert.equal(finish, 'stop');
    assert.ok(usage.total_tokens > 0);
  },

  async 'chat, cut off by max_tokens'() {
    const answer = await client.chat.completions.create({
      model: 'gpt-4o-mini', max_tokens: 1,
      messages: [{ role: 'user', content: 'Tell a story about a long, long road' }],
    });
    assert.equal(answer.choices[0].finish_reason, 'length');
    assert.equal(answer.usage.completion_tokens, 1);
  },

  async 'chat, structured'() {
    const answer = await client.chat.completions.create({
      ...question,
      response_format: {
        type: 'json_schema',
        json_schema: {
          name: 'row', strict: true,
          schema: {
            type: 'object', additionalProperties: false, required: ['label', 'score', 'tags'],
            properties: {
              label: { type: 'string', enum: ['bug', 'question'] },
              score: { type: 'integer', minimum: 1, maximum: 5 },
              tags: { type: 'array', items: { type: 'string' } },
            },
          },
        },
      },
    });
    const row = JSON.parse(answer.choices[0].message.content);
    assert.ok(['bug', 'question'].includes(row.label));
    assert.ok(Number.isInteger(row.score) && row.score >= 1 && row.score <= 5);
    assert.ok(Array.isArray(row.tags));
  },

  async 'chat, a tool that must be called'() {
    const answer = await client.chat.completions.create({
      ...question, tools: [{ type: 'function', function: { name: 'row', parameters: rowSchema } }],
      tool_choice: { type: 'function', function: { name: 'row' } },
    });
    assert.equal(answer.choices[0].finish_reason, 'tool_calls');
    const [call] = answer.choices[0].message.tool_calls;
    assert.equal(call.function.name, 'row');
    assert.ok(isRow(JSON.parse(call.function.arguments)));
  },

  async 'responses, twice the same'() {
    const request = { model: 'gpt-4o-mini', instructions: 'You sort tickets.',
      input: question.messages[0].content };
    const answer = await client.responses.create(request);
    assert.equal(answer.status, 'completed');
    assert.equal(answer.output_text, 'bug');
    assert.equal(answer.usage.total_tokens, answer.usage.input_tokens + answer.usage.output_tokens);
    assert.equal((await client.responses.create(request)).id, answer.id);
  },

  async 'responses, streamed'() {
    const request = { model: 'gpt-4o-mini', input: 'Say: one two three' };
    const whole = await client.responses.create(request);
    const pieces = [];
    let last = null;
    for await (const event of await client.responses.create({ ...request, stream: true })) {
      pieces.push(event.type === 'response.output_text.delta' ? event.delta : '');
      last = event;
    }
    assert.equal(last.type, 'response.completed');
    assert.equal(pieces.join(''), whole.output_text);
    assert.deepEqual(last.response.output, whole.output);
    const helped = await client.responses.stream(request).finalResponse();
    assert.equal(helped.output[0].content[0].text, whole.output_text);
  },

  async 'responses, structured, with a picture'() {
    const answer = await client.responses.create({
      model: 'gpt-4o-mini',
      input: [{ role: 'user', content: [
        { type: 'input_text', text: question.messages[0].content },
        { type: 'input_image', image_url: `data:image/png;base64,${pixel}`, detail: 'auto' },
      ] }],
      text: { format: { type: 'json_schema', name: 'row', schema: rowSchema } },
    });
    assert.ok(isRow(JSON.parse(answer.output_text)));
  },

  async 'responses, cut off, and refused'() {
    const cut = await client.responses.create({
      model: 'gpt-4o-mini', max_output_tokens: 1, input: 'Tell a story about a long, long road' });
    assert.equal(cut.status, 'incomplete');
    assert.equal(cut.incomplete_details.reason, 'max_output_tokens');
    const error = await refusal(client.responses.create({ model: 'gpt-4o-mini' }));
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.param, 'input');
  },

  async 'embeddings, as numbers and as base64'() {
    const request = { model: 'text-embedding-3-small', input: ['one', 'two'], dimensions: 64 };
    const plain = await client.embeddings.create({ ...request, encoding_format: 'float' });
    const decoded = await client.embeddings.create(request);  // the client asks for base64 by itself
    assert.equal(plain.data.length, 2);
    plain.data.forEach(({ embedding, index }) => {
      assert.equal(embedding.length, 64);
      const squares = embedding.reduce((sum, number) => sum + number * number, 0);
      assert.ok(Math.abs(squares - 1) < 1e-4);
      Array.from(decoded.data[index].embedding).forEach((number, i) => {
        assert.ok(Math.abs(number - embedding[i]) < 1e-6);
      });
    });
    assert.notDeepEqual(plain.data[0].embedding, plain.data[1].embedding);
  },

  async 'errors have their class, param and code'() {
    const empty = await refusal(client.chat.completions.create({ model: 'gpt-4o-mini' }));
    assert.ok(empty instanceof OpenAI.BadRequestError);
    assert.equal(empty.param, 'messages');
    assert.equal(empty.type, 'invalid_request_error');
    const unknown = await refusal(client.post('/no/such/path', { body: {} }));
    assert.ok(unknown instanceof OpenAI.NotFoundError);
  },
};

if (limitedURL) {
  checks['429 with its headers'] = async () => {
    const limited = new OpenAI({ baseURL: limitedURL, ...options });
    const { response } = await limited.chat.completions.create(question).withResponse();
    assert.equal(response.headers.get('x-ratelimit-limit-requests'), '1');
    const error = await refusal(limited.chat.completions.create(question));
    assert.ok(error instanceof OpenAI.RateLimitError);
    assert.equal(error.code, 'rate_limit_exceeded');
    assert.equal(error.type, 'requests');
    const headers = new Headers(error.headers);
    assert.ok(Number(headers.get('retry-after')) >= 1);
    assert.match(headers.get('x-ratelimit-reset-requests'), /^(\d+m)?[\d.]+m?s$/);
  };
}

await run(checks);
