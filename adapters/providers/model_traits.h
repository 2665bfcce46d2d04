// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace batchllm {

// How a model is made to answer in JSON that matches a schema.
enum class SchemaMode : std::uint8_t {
  native,        // the dialect's own member for a JSON Schema
  json_object,   // JSON mode, the schema in the instructions
  tool,          // the arguments of a tool that must be called
  instructions,  // nothing but words
};

// What sets a model apart within its dialect: data of share/models.toml, never a condition in code.
struct ModelTraits {
  std::string token_limit = "max_tokens";  // name of the limit of an answer's tokens
  std::string system_role = "system";      // "developer"; "user": put before the user's first text
  std::string seed = "seed";               // name of the seed; empty: it has none
  std::string effort;      // member that says --effort, "a.b" inside "a"; empty: none
  std::string key_header;  // the key's; empty: the dialect's own
  SchemaMode schema_mode = SchemaMode::native;
  bool takes_temperature = true;
  bool limit_is_required = false;                      // a request without a token limit is refused
  std::optional<std::int64_t> max_output_tokens = {};  // of one answer
  std::optional<std::int64_t> context_tokens = {};     // input and output together
  std::optional<std::int64_t> image_bytes = {};        // of one image
  std::optional<std::int64_t> image_side = {};         // pixels of its longer side
  bool takes_pdf = false;                              // as parts of a prompt
  std::optional<std::int64_t> document_bytes = {};     // of one PDF
  std::int64_t embedding_rows = 64;                    // texts of one request at most
  std::optional<std::int64_t> embedding_tokens = {};   // of all texts of one request
  std::string dimensions = "dimensions";  // name of the length of vectors; empty: it is the model's
  std::string vectors = {};               // "base64": a server that can send vectors so
  std::string extra = {};                 // JSON members that every request gets: "\"store\":false"
};

}  // namespace batchllm
