// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/job_model.h"

#include "adapters/job/api_key.h"
#include "adapters/job/job_form.h"
#include "adapters/providers/provider_address.h"
#include "adapters/registry.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/model_spec.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace batchllm {
namespace {

// Held back for a row, and asked for where a limit is required, when neither --max-tokens nor the
// model's data says less.
constexpr std::int64_t k_unknown_output_tokens = 16'384;

// A value of --param as JSON: what is JSON already stays, everything else is a string.
std::string parameter_json(const std::string& value) {
  return is_json(value) ? value : json_string(value);
}

// The most tokens that one answer can have, as far as that is known.
std::int64_t longest_answer(const ModelSettings& model,
                            const ModelTraits& traits,
                            const std::optional<Price>& price) {
  if (model.max_tokens) {
    return *model.max_tokens;
  }
  const auto known = traits.max_output_tokens ? traits.max_output_tokens
                     : price                  ? price->max_output_tokens
                                              : std::nullopt;
  return std::min(known.value_or(k_unknown_output_tokens), k_unknown_output_tokens);
}

ImageLimits image_limits(const ModelTraits& traits) {
  ImageLimits limits;
  if (traits.image_bytes) {
    limits.bytes = static_cast<std::uint64_t>(*traits.image_bytes);
  }
  limits.side = traits.image_side;
  return limits;
}

DocumentLimits document_limits(const ModelTraits& traits, const ModelSpec& spec) {
  DocumentLimits limits;
  limits.takes_pdf = traits.takes_pdf;
  if (traits.document_bytes) {
    limits.bytes = static_cast<std::uint64_t>(*traits.document_bytes);
  }
  limits.model = spec.text();
  return limits;
}

// How many rows may share a request: as the provider takes them, and as the user wants it.
BundleLimits bundle_limits(const JobSettings& settings, const ModelTraits& traits) {
  constexpr std::int64_t k_requests_of_a_minute = 4;
  BundleLimits limits;
  limits.rows = static_cast<std::size_t>(std::min(
      traits.embedding_rows, settings.embedding.request_rows.value_or(traits.embedding_rows)));
  limits.tokens = traits.embedding_tokens;
  if (const auto& of_minute = settings.limits.tokens_per_minute) {
    // One request should not wait for the tokens of a whole minute.
    const std::int64_t share = std::max<std::int64_t>(1, *of_minute / k_requests_of_a_minute);
    limits.tokens = std::min(limits.tokens.value_or(share), share);
  }
  return limits;
}

// Throws when the provider or the model makes no vectors, or none of the wanted length.
void check_embedding(const ModelSpec& spec,
                     const ProviderEntry& entry,
                     const EmbeddingSettings& settings,
                     const ModelRequest& request,
                     const std::optional<Price>& price) {
  const std::string what = fmt::format("{} makes no vectors", printable(spec.text()));
  if (find_embedding_dialect(entry.dialect) == nullptr) {
    throw Error(ErrorCode::usage,
                fmt::format("{}: {} has no embeddings here", what, entry.title),
                "for example --model openai/text-embedding-3-small, gemini/gemini-embedding-001 or "
                "ollama/nomic-embed-text");
  }
  if (price && !price->listed_as.empty() && price->mode != "embedding") {
    throw Error(ErrorCode::usage,
                what,
                "it answers prompts: batchllm run; for vectors name a model such as "
                "openai/text-embedding-3-small");
  }
  if (settings.dimensions && request.traits.dimensions.empty()) {
    throw Error(ErrorCode::usage,
                fmt::format("--dimensions: {} does not let it be chosen", entry.title),
                "leave it out: vectors have the model's own length");
  }
}

}  // namespace

void name_model(JobSettings& settings, const ModelCatalog& models) {
  settings.model.model = models.resolve(settings.model.model).text();
}

void name_models(JobRecord& record, const ModelCatalog& models) {
  name_model(record.settings, models);
  for (JobStep& step : record.later_steps) {
    try {
      step.model.model = models.resolve(step.model.model).text();
    } catch (Error& error) {
      throw std::move(error).with_context(fmt::format("step {}", step.name));
    }
  }
}

JobModel make_model(const JobSettings& settings,
                    const JobSurroundings& surroundings,
                    bool with_key) {
  const ModelCatalog& catalog = surroundings.models;
  const EnvironmentLookup& environment = surroundings.environment;
  const ModelSpec spec = catalog.resolve(settings.model.model);
  const ProviderEntry& entry = *catalog.find_provider(spec.provider);
  ModelRequest request;
  request.model = spec.model;
  const ProviderAddress address = address_of(entry, settings.model.base_url, environment);
  request.base_url = address.url;
  request.key =
      with_key ? find_api_key(entry, settings.model, environment, surroundings.kept_keys) : "";
  request.traits = catalog.traits_of(spec);
  // Of another server it is only known that it speaks the dialect.
  if (!address.is_own) {
    request.traits.token_limit = ModelTraits{}.token_limit;
  }
  request.max_tokens = settings.model.max_tokens;
  request.temperature = settings.model.temperature;
  for (const auto& [name, value] : settings.model.parameters) {
    request.parameters.emplace_back(name, parameter_json(value));
  }
  request.effort = settings.model.effort;
  if (auto schema = schema_of(settings.answer)) {
    request.schema = AnswerSchema{"answer", *std::move(schema)};
  }
  request.ca_file = settings.model.ca_file;
  request.http2 = settings.model.http2;
  request.environment = environment;
  request.ask_metadata = surroundings.ask_metadata;
  request.is_sent = with_key;

  JobModel model;
  model.endpoint = request.base_url;
  model.provider_title = entry.title;
  model.price = PriceTable::built_in().find(
      {entry.price_list.empty() ? spec.provider : entry.price_list, spec.model});
  model.worst_case_output_tokens = longest_answer(settings.model, request.traits, model.price);
  if (request.traits.limit_is_required) {
    request.max_tokens = model.worst_case_output_tokens;
  }
  model.images = image_limits(request.traits);
  model.documents = document_limits(request.traits, spec);
  if (settings.embedding.is_wanted) {
    check_embedding(spec, entry, settings.embedding, request, model.price);
    model.worst_case_output_tokens = 0;
    model.bundle = bundle_limits(settings, request.traits);
    request.dimensions = settings.embedding.dimensions;
    model.provider = find_embedding_dialect(entry.dialect)->make(std::move(request));
    return model;
  }
  if (model.price && model.price->mode == "embedding") {
    throw Error(ErrorCode::usage,
                fmt::format("{} answers no prompts: it makes vectors", printable(spec.text())),
                "batchllm embed INPUT --column COLUMN");
  }
  model.form = make_form(settings.answer);
  const bool is_told = model.form != nullptr && model.form->schema() != nullptr &&
                       (request.traits.schema_mode == SchemaMode::native ||
                        request.traits.schema_mode == SchemaMode::tool);
  if (model.form != nullptr && !is_told) {
    model.instructions = model.form->instructions();
  }
  model.provider = find_dialect(entry.dialect)->make(std::move(request));
  return model;
}

}  // namespace batchllm
