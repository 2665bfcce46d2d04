// SPDX-License-Identifier: Apache-2.0
// Any bytes under any status: the decoder of every dialect reads without a fault, says something
// sensible, never lets the key out, and its outcome survives the ledger.
#include "adapters/registry.h"
#include "core/ledger_format.h"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::string_view k_key = "sk-key";

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

using Providers = std::vector<std::unique_ptr<batchllm::Provider>>;

// Every dialect, and again with the schema as a tool.
const Providers& providers() {
  static const Providers made = [] {
    Providers all;
    for (const auto mode : {batchllm::SchemaMode::native, batchllm::SchemaMode::tool}) {
      for (const std::string& name : batchllm::dialect_names()) {
        batchllm::ModelRequest model;
        model.model = "m";
        model.base_url = "http://h/v1";
        model.key = k_key;
        model.max_tokens = 100;
        model.traits.schema_mode = mode;
        all.push_back(batchllm::find_dialect(name)->make(model));
      }
    }
    return all;
  }();
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  constexpr int k_statuses[] = {200, 200, 200, 400, 401, 403, 404, 408, 429, 500, 503, 529};
  batchllm::HttpResponse response;
  response.status = k_statuses[bytes[0] % (sizeof k_statuses / sizeof *k_statuses)];
  const auto& provider = providers()[bytes[1] % providers().size()];
  // No more than the 64 readable bytes that the transport promises.
  std::vector<char> body(bytes + 2, bytes + size);
  response.body_size = body.size();
  body.resize(body.size() + 64);
  response.body = body.data();

  const batchllm::Answer answer = provider->decode(response);
  require(response.status == 200 || answer.failure != batchllm::RowFailure::none);
  require((answer.failure == batchllm::RowFailure::none) == answer.message.empty());
  require(answer.message.find(k_key) == std::string::npos);
  require(answer.message.size() < 2500);
  require(answer.usage.input_tokens >= 0 && answer.usage.output_tokens >= 0);

  batchllm::Outcome outcome;
  outcome.failure = answer.failure;
  outcome.status = answer.failure == batchllm::RowFailure::none ? batchllm::RowStatus::ok
                                                                : batchllm::RowStatus::failed;
  outcome.output = answer.text;
  outcome.message = answer.message;
  std::string line;
  batchllm::append_outcome_line(line, outcome);
  const auto again = batchllm::read_outcome_line(std::string_view(line).substr(0, line.size() - 1));
  require(again && again->failure == outcome.failure && again->output == outcome.output);
  return 0;
}
