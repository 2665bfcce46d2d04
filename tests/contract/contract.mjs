// SPDX-License-Identifier: Apache-2.0
// share/openapi.json as something that requests and answers can be held against.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

export const documentPath = new URL('../../share/openapi.json', import.meta.url);

const pointerPart = (name) => name.replaceAll('~', '~0').replaceAll('/', '~1');

export class Contract {
  constructor(path = documentPath) {
    this.document = JSON.parse(readFileSync(path, 'utf8'));
    // Not strict: an OpenAPI document is no schema itself, it only holds some.
    this.ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats(this.ajv);
    this.ajv.addSchema(this.document, 'contract');
    this.operations = new Map();
    for (const [path, item] of Object.entries(this.document.paths)) {
      for (const [method, json] of Object.entries(item)) {
        this.operations.set(json.operationId, new Operation(this, path, method, json));
      }
    }
  }

  operation(id) {
    assert.ok(this.operations.has(id), `the document has no operation ${id}`);
    return this.operations.get(id);
  }

  // What a reference leads to, with the place where that stands.
  resolve(value, pointer) {
    return value.$ref === undefined
      ? { value, pointer }
      : { value: value.$ref.slice(2).split('/').reduce((at, part) => at[part], this.document), pointer: value.$ref };
  }

  // Throws when `data` is not what the schema at `pointer` describes.
  check(pointer, data, what) {
    const validate = this.ajv.getSchema(`contract${pointer}`);
    assert.ok(validate, `no schema at ${pointer}`);
    if (!validate(data)) {
      const faults = validate.errors.map((fault) => `  ${fault.instancePath || '/'} ${fault.message} ${JSON.stringify(fault.params)}`);
      const shown = JSON.stringify(data)?.slice(0, 1500);
      throw new assert.AssertionError({ message: `${what} is not as ${pointer} says:\n${faults.slice(0, 12).join('\n')}\n  in ${shown}` });
    }
  }

  checkNamed(schema, data, what) {
    this.check(`#/components/schemas/${schema}`, data, what);
  }
}

// One operation of the document.
export class Operation {
  constructor(contract, path, method, json) {
    Object.assign(this, { contract, path, method, json, id: json.operationId });
    this.pointer = `#/paths/${pointerPart(path)}/${method}`;
    this.parameters = (json.parameters ?? []).map((one, index) => contract.resolve(one, `${this.pointer}/parameters/${index}`));
    this.statuses = Object.keys(json.responses).map(Number);
  }

  parameter(name) {
    return this.parameters.find(({ value }) => value.name === name);
  }

  parametersIn(place) {
    return this.parameters.filter(({ value }) => value.in === place);
  }

  get takesJson() {
    return this.json.requestBody?.content['application/json']?.schema !== undefined;
  }

  // The example that the document gives for the body.
  get exampleBody() {
    const { value } = this.contract.resolve(this.json.requestBody.content['application/json'].schema, '');
    return structuredClone(value.examples[0]);
  }

  // Throws when the document does not allow the request.
  checkRequest({ path = {}, query = {}, headers = {}, body, type }) {
    for (const [place, given] of Object.entries({ path, query, header: headers })) {
      for (const { value, pointer } of this.parametersIn(place)) {
        if (given[value.name] !== undefined) {
          this.contract.check(`${pointer}/schema`, given[value.name], `${place} parameter ${value.name}`);
        } else {
          assert.ok(!value.required, `${place} parameter ${value.name} is required`);
        }
      }
      for (const name of Object.keys(given)) {
        const known = this.parameter(name)?.value.in === place || (place === 'header' && name === 'Accept');
        assert.ok(known, `${this.id} has no ${place} parameter ${name}`);
      }
    }
    const described = this.json.requestBody;
    if (body === undefined) {
      assert.ok(!described?.required, `${this.id} needs a body`);
      return;
    }
    assert.ok(described, `${this.id} takes no body`);
    const media = type.split(';')[0];
    assert.ok(described.content[media], `${this.id} takes no ${media}`);
    if (media === 'application/json' && described.content[media].schema) {
      this.contract.check(`${this.pointer}/requestBody/content/${pointerPart(media)}/schema`, body, `the body of ${this.id}`);
    }
  }

  // Throws when the document does not describe the answer: its status, headers, type or body.
  checkAnswer(answer) {
    const described = this.json.responses[answer.status];
    assert.ok(described, `${this.id} answered ${answer.status}, which the document does not list: ${answer.text?.slice(0, 800)}`);
    const { value, pointer } = this.contract.resolve(described, `${this.pointer}/responses/${answer.status}`);
    for (const [name, one] of Object.entries(value.headers ?? {})) {
      const given = answer.headers[name.toLowerCase()];
      const header = this.contract.resolve(one, `${pointer}/headers/${name}`);
      if (given !== undefined) {
        const { type } = header.value.schema;
        this.contract.check(`${header.pointer}/schema`, type === 'integer' ? Number(given) : given, `header ${name}`);
      } else {
        assert.ok(name === 'Idempotency-Replayed', `${this.id}: ${answer.status} comes without the header ${name}`);
      }
    }
    this.checkAnswerBody(answer, value.content, pointer);
  }

  checkAnswerBody(answer, content, pointer) {
    if (content === undefined) {
      assert.equal(answer.bytes.length, 0, `${this.id}: ${answer.status} has no body`);
      return;
    }
    const media = (answer.headers['content-type'] ?? '').split(';')[0].trim();
    assert.ok(content[media] ?? content['*/*'], `${this.id}: ${answer.status} as ${media || 'no type'} is not listed`);
    if (/[/+]json$/.test(media) && content[media]?.schema) {
      this.contract.check(`${pointer}/content/${pointerPart(media)}/schema`, answer.body, `the answer of ${this.id}`);
    }
    if (media === 'application/problem+json') {
      this.checkProblem(answer);
    }
  }

  checkProblem({ status, body }) {
    assert.equal(body.status, status, 'status of the problem document');
    assert.equal(body.type.split('/').at(-1), body.code, 'type of the problem document');
    const { description } = this.contract.document.components.schemas.ErrorCode;
    assert.ok(description.includes(`| \`${body.code}\` | ${status} |`), `${body.code} has another status than ${status} in the document`);
  }
}
