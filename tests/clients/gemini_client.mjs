// SPDX-License-Identifier: Apache-2.0
// Talks to `batchllm simulate` with the official `@google/genai` client:
//   node gemini_client.mjs BASE_URL LIMITED_BASE_URL
// LIMITED_BASE_URL is a second simulator started with --rpm 1. Node 18 or newer.
import assert from 'node:assert/strict';
import { GoogleGenAI, Type } from '@google/genai';
import { isRow, pixel, question, refusal, run } from './client_checks.mjs';

// The client puts "/v1beta" before its paths by itself.
const [baseUrl, limitedUrl] = process.argv.slice(2).map((url) => url.replace(/\/v1$/, ''));
const client = new GoogleGenAI({ apiKey: 'simulated', httpOptions: { baseUrl, timeout: 20_000 } });
const model = 'gemini-2.5-flash';

await run({
  async 'an answer, twice the same'() {
    const request = { model, contents: question, config: { systemInstruction: 'You sort tickets.' } };
    const answer = await client.models.generateContent(request);
    assert.equal(answer.text, 'bug');
    assert.equal(answer.candidates[0].finishReason, 'STOP');
    const { promptTokenCount, candidatesTokenCount, totalTokenCount } = answer.usageMetadata;
    assert.equal(totalTokenCount, promptTokenCount + candidatesTokenCount);
    assert.equal(answer.modelVersion, model);
    assert.equal((await client.models.generateContent(request)).text, answer.text);
  },

  async 'an answer, streamed'() {
    const request = { model, contents: 'Say: one two three' };
    const whole = await client.models.generateContent(request);
    const pieces = [];
    let finish;
    for await (const chunk of await client.models.generateContentStream(request)) {
      pieces.push(chunk.text ?? '');
      finish = chunk.candidates[0].finishReason;
    }
    assert.equal(pieces.join(''), whole.text);
    assert.ok(pieces.length > 2);
    assert.equal(finish, 'STOP');
  },

  async 'cut off by maxOutputTokens'() {
    const answer = await client.models.generateContent({
      model, contents: 'Tell a story about a long road', config: { maxOutputTokens: 1 } });
    assert.equal(answer.candidates[0].finishReason, 'MAX_TOKENS');
  },

  async 'an answer in a schema of its own kind'() {
    const responseSchema = {
      type: Type.OBJECT, required: ['label', 'score'],
      properties: {
        label: { type: Type.STRING, enum: ['bug', 'question'] },
        score: { type: Type.INTEGER, minimum: 1, maximum: 5 },
      },
    };
    const answer = await client.models.generateContent({
      model, contents: question, config: { responseMimeType: 'application/json', responseSchema } });
    assert.ok(isRow(JSON.parse(answer.text)));
  },

  async 'a picture is taken'() {
    const answer = await client.models.generateContent({ model, contents: [{ role: 'user', parts: [
      { inlineData: { mimeType: 'image/png', data: pixel } }, { text: question }] }] });
    assert.equal(answer.text, 'bug');
  },

  async 'embeddings'() {
    const { embeddings } = await client.models.embedContent({
      model: 'gemini-embedding-001', contents: ['one', 'two'], config: { outputDimensionality: 64 } });
    assert.equal(embeddings.length, 2);
    assert.equal(embeddings[0].values.length, 64);
    assert.notDeepEqual(embeddings[0].values, embeddings[1].values);
  },

  async 'models'() {
    assert.equal((await client.models.get({ model })).name, `models/${model}`);
  },

  async 'errors have their status'() {
    const error = await refusal(client.models.generateContent({ model, contents: [] }));
    assert.match(error.message, /contents/);
    const unknown = await refusal(client.models.get({ model: 'none' }));
    assert.match(unknown.message, /NOT_FOUND/);
  },

  async '429 with the wait in its body'() {
    const limited = new GoogleGenAI({ apiKey: 'simulated', httpOptions: { baseUrl: limitedUrl } });
    await limited.models.generateContent({ model, contents: question });
    const error = await refusal(limited.models.generateContent({ model, contents: question }));
    assert.match(error.message, /RESOURCE_EXHAUSTED/);
    assert.match(error.message, /RetryInfo.*retryDelay.*s/s);
  },
});
