// SPDX-License-Identifier: Apache-2.0
// Holds every example of share/openapi.json against its schema, and every schema against JSON
// Schema 2020-12: node examples.mjs
import { Contract } from './contract.mjs';

const contract = new Contract();
let checked = 0;
let wrong = 0;

function check(pointer, data, what) {
  try {
    contract.check(pointer, data, what);
  } catch (error) {
    wrong += 1;
    console.error(error.message);
  }
  checked += 1;
}

// Walks through the document; `media` and parameters hold examples beside their schema, schemas
// within themselves.
function walk(value, pointer) {
  if (typeof value !== 'object' || value === null) {
    return;
  }
  if (value.schema !== undefined) {
    if (value.example !== undefined) {
      check(`${pointer}/schema`, value.example, `the example at ${pointer}`);
    }
    for (const [name, example] of Object.entries(value.examples ?? {})) {
      check(`${pointer}/schema`, example.value, `the example ${name} at ${pointer}`);
    }
  } else if (Array.isArray(value.examples)) {
    value.examples.forEach((example, index) => check(pointer, example, `example ${index} at ${pointer}`));
  }
  for (const [name, member] of Object.entries(value)) {
    if (name !== 'example' && name !== 'examples') {
      walk(member, `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
    }
  }
}

walk(contract.document, '#');
for (const name of Object.keys(contract.document.components.schemas)) {
  contract.ajv.getSchema(`contract#/components/schemas/${name}`);
}
console.log(`${checked} examples checked, ${wrong} wrong`);
process.exit(wrong === 0 && checked > 0 ? 0 : 1);
