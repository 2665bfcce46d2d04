// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/model_listing.h"

#include "adapters/http/http_client.h"
#include "adapters/registry.h"
#include "core/json_document.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <utility>

namespace batchllm {
namespace {

constexpr std::size_t k_largest_answer = std::size_t{16} << 20;
constexpr std::size_t k_most_models = 5000;
constexpr std::size_t k_longest_name = 200;

// The members in which servers say how much a model takes, the one that holds here first.
constexpr std::array<std::string_view, 6> k_context_members = {
    "max_model_len",       // vLLM
    "context_window",      // Groq
    "max_context_length",  // Mistral, LM Studio
    "context_length",      // OpenRouter, Together, Cohere
    "max_input_tokens",    // Anthropic
    "inputTokenLimit",     // Gemini
};

// `url` with another end before its query; as it is when it does not end so.
std::string with_end(const std::string& url, std::string_view usual_end, std::string_view end) {
  const auto query = std::min(url.find('?'), url.size());
  std::string path = url.substr(0, query);
  if (path.ends_with(usual_end)) {
    path.erase(path.size() - usual_end.size());
  }
  path += end;
  if (query != url.size()) {
    path += end.find('?') == std::string_view::npos ? '?' : '&';
    path += url.substr(query + 1);
  }
  return path;
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= k_longest_name && is_utf8(text) &&
         std::all_of(text.begin(), text.end(), [](char byte) {
           return static_cast<unsigned char>(byte) > ' ' && byte != 0x7F;
         });
}

std::optional<std::int64_t> context_of(const JsonNode& model) {
  for (const std::string_view member : k_context_members) {
    const JsonNode* node = model.find(member);
    const auto tokens = node == nullptr ? std::nullopt : node->integer();
    if (tokens && *tokens > 0) {
      return tokens;
    }
  }
  return std::nullopt;
}

void read_list(const std::string& body, const ModelListForm& form, ModelListing& listing) {
  const auto document = parse_json_document(body, JsonLimits{.bytes = k_largest_answer});
  const JsonNode* list = nullptr;
  if (document) {
    list = document->kind() == JsonNode::Kind::array ? &*document : document->find(form.list);
  }
  if (list == nullptr || list->kind() != JsonNode::Kind::array) {
    listing.end = ListingEnd::unreadable;
    listing.message = "the answer is not a list of models";
    return;
  }
  for (const JsonNode& model : list->items()) {
    std::string_view name = model.find_string(form.name).value_or("");
    name.remove_prefix(name.starts_with(form.prefix) ? form.prefix.size() : 0);
    if (is_name(name) && listing.models.size() < k_most_models) {
      listing.models.push_back({std::string(name), context_of(model)});
    }
  }
  const JsonNode* more = document->find("has_more");
  listing.is_cut = list->items().size() > k_most_models ||
                   (more != nullptr && more->boolean().value_or(false)) ||
                   !document->find_string("nextPageToken").value_or("").empty() ||
                   !document->find_string("next_page_token").value_or("").empty();
}

// What an answer without a list means, by the dialect's own reading of errors.
void read_failure(HttpClientResponse& answer, Provider& provider, ModelListing& listing) {
  listing.end = ListingEnd::unreachable;
  if (answer.failure != TransportFailure::none || answer.stopped) {
    listing.message = answer.stopped ? "stopped" : printable(answer.failure_text);
    return;
  }
  constexpr std::size_t k_padding = 64;
  HttpResponse response;
  response.status = answer.status;
  response.body_size = answer.body.size();
  answer.body.resize(answer.body.size() + k_padding);
  response.body = answer.body.data();
  const Answer meaning = provider.decode(response);
  listing.message = meaning.message;
  if (meaning.failure == RowFailure::auth_refused) {
    listing.end = ListingEnd::refused;
  } else if (answer.status < 500 && meaning.failure != RowFailure::rate_limited &&
             meaning.failure != RowFailure::quota_exhausted) {
    listing.end = ListingEnd::unreadable;
  }
}

std::unique_ptr<Provider> provider_for(const ProviderEntry& entry,
                                       const Dialect& dialect,
                                       const ModelListingRequest& request) {
  ModelRequest model;
  model.model = "m";  // see ModelListForm
  model.base_url = request.base_url;
  model.key = request.key;
  model.ca_file = request.ca_file;
  model.max_tokens = 1;
  model.traits = entry.traits;
  return dialect.make(std::move(model));
}

}  // namespace

std::string_view listing_end_name(ListingEnd end) noexcept {
  constexpr std::array<std::string_view, 5> k_names = {
      "ok", "refused", "unreachable", "unreadable", "no_list"};
  return k_names.at(static_cast<std::size_t>(end));
}

ModelListing list_models(const ProviderEntry& entry, const ModelListingRequest& request) {
  const Dialect& dialect = *find_dialect(entry.dialect);
  ModelListing listing;
  if (dialect.model_list.end.empty()) {
    listing.end = ListingEnd::no_list;
    listing.message = fmt::format("{} has no list of models that can be asked for", entry.title);
    return listing;
  }
  const auto provider = provider_for(entry, dialect, request);
  const HttpEndpoint endpoint = provider->endpoint();
  const bool has_check = request.only_checks_key && !entry.key_check.empty();
  const std::string url = with_end(endpoint.url,
                                   dialect.model_list.usual_end,
                                   has_check ? entry.key_check : dialect.model_list.end);
  const auto path = std::min(url.find('/', url.find("//") + 2), url.size());

  HttpClientSettings settings;
  settings.server = {url.substr(0, path), endpoint.unix_socket};
  settings.ca_file = endpoint.ca_file;
  HttpClientRequest get;
  get.target = url.substr(path);
  get.timeout = request.timeout;
  get.max_body_bytes = k_largest_answer;
  get.stop = request.stop;
  for (const auto& header : endpoint.headers) {
    if (!equals_ignoring_case(header.first, "content-type")) {
      get.headers.push_back(header);
    }
  }
  const auto begun = std::chrono::steady_clock::now();
  HttpClient client(std::move(settings));
  HttpClientResponse answer = client.send(get);
  listing.latency_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                           std::chrono::steady_clock::now() - begun)
                           .count();
  listing.status = answer.status;
  listing.server_date = answer.header("date");
  if (!answer.is_ok()) {
    read_failure(answer, *provider, listing);
  } else if (!has_check) {
    read_list(answer.body, dialect.model_list, listing);
  }
  return listing;
}

}  // namespace batchllm
