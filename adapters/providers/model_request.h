// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/aws/metadata_server.h"
#include "adapters/providers/model_traits.h"
#include "core/config_layers.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace batchllm {

// The form that an answer must have.
struct AnswerSchema {
  std::string name = "answer";  // [A-Za-z0-9_-]{1,64}
  std::string json;             // a JSON Schema, one line
};

// What the requests of a job have in common, whatever their dialect: everything but the prompt.
struct ModelRequest {
  std::string model;     // the provider's name for it, without "provider/"
  std::string base_url;  // without a slash at the end
  std::string key;       // secret; empty: the request goes without
  std::optional<std::int64_t> max_tokens;
  std::optional<double> temperature;
  std::string effort;  // "low", "high" …; empty: not said
  std::vector<std::pair<std::string, std::string>> parameters;  // name -> JSON text
  std::optional<AnswerSchema> schema;
  std::optional<std::int64_t> dimensions;  // of the vectors, for embeddings
  std::string ca_file;
  bool http2 = false;
  ModelTraits traits;
  bool is_sent = true;            // false: nobody sends it, and credentials are not looked for
  aws::AskMetadata ask_metadata;  // for the roles of machines; may be empty
  EnvironmentLookup environment;  // for dialects with credentials of their own; may be empty
};

}  // namespace batchllm
