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
#include <unordered_set>
#include <utility>

namespace batchllm {
namespace {

constexpr std::size_t k_largest_answer = std::size_t{16} << 20;
constexpr std::size_t k_most_models = 5000;
constexpr std::size_t k_longest_name = 200;
constexpr std::size_t k_longest_token = 4096;
constexpr int k_most_parts = 50;

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

bool says_it_has_more(const JsonNode& answer, bool unless_said) {
  const JsonNode* more = answer.find("has_more");
  return more == nullptr ? unless_said : more->boolean().value_or(unless_said);
}

// Adds what an answer lists. Returns what to ask for the next part with; empty: nothing more comes.
std::string read_list(const std::string& body, const ModelListForm& form, ModelListing& listing) {
  const auto document = parse_json_document(body, JsonLimits{.bytes = k_largest_answer});
  const JsonNode* list = nullptr;
  if (document) {
    list = document->kind() == JsonNode::Kind::array ? &*document : document->find(form.list);
  }
  if (list == nullptr || list->kind() != JsonNode::Kind::array) {
    listing.end = ListingEnd::unreadable;
    listing.message = "the answer is not a list of models";
    return {};
  }
  for (const JsonNode& model : list->items()) {
    std::string_view name = model.find_string(form.name).value_or("");
    name.remove_prefix(name.starts_with(form.prefix) ? form.prefix.size() : 0);
    if (!is_name(name)) {
      continue;
    }
    if (listing.models.size() == k_most_models) {
      listing.is_cut = true;
      return {};
    }
    listing.models.push_back({std::string(name), context_of(model)});
  }
  std::string next(form.next.empty() ? "" : document->find_string(form.next).value_or(""));
  listing.is_cut = says_it_has_more(*document, !next.empty());
  return listing.is_cut && next.size() <= k_longest_token ? next : std::string();
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

// One request; returns what to ask for the next part with. `form`: none when only the status
// counts.
std::string ask_for_part(HttpClient& client,
                         const HttpClientRequest& get,
                         const ModelListForm* form,
                         Provider& provider,
                         ModelListing& listing) {
  const auto begun = std::chrono::steady_clock::now();
  HttpClientResponse answer = client.send(get);
  listing.latency_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                           std::chrono::steady_clock::now() - begun)
                           .count();
  listing.status = answer.status;
  listing.server_date = answer.header("date");
  if (!answer.is_ok()) {
    read_failure(answer, provider, listing);
    return {};
  }
  return form == nullptr ? std::string() : read_list(answer.body, *form, listing);
}

// The request for the part that `value` asks for (empty: the first), which ends at `end`.
HttpClientRequest with_parameter(HttpClientRequest get,
                                 std::string_view name,
                                 const std::string& value,
                                 std::chrono::steady_clock::time_point end) {
  get.timeout =
      std::max(Milliseconds(1),
               std::chrono::duration_cast<Milliseconds>(end - std::chrono::steady_clock::now()));
  if (!value.empty()) {
    get.target += get.target.find('?') == std::string::npos ? '?' : '&';
    get.target.append(name).append("=").append(percent_encoded(value));
  }
  return get;
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
  get.max_body_bytes = k_largest_answer;
  get.stop = request.stop;
  for (const auto& header : endpoint.headers) {
    if (!equals_ignoring_case(header.first, "content-type")) {
      get.headers.push_back(header);
    }
  }
  HttpClient client(std::move(settings));
  const bool wants_all = !request.only_checks_key;
  const auto end = std::chrono::steady_clock::now() + request.timeout;
  std::string next;
  for (int part = 0; part < k_most_parts; ++part) {
    std::string asked = std::exchange(next, {});
    next = ask_for_part(client,
                        with_parameter(get, dialect.model_list.after, asked, end),
                        has_check ? nullptr : &dialect.model_list,
                        *provider,
                        listing);
    // The same again would come back for ever.
    if (next.empty() || next == asked || !wants_all) {
      break;
    }
  }
  // A server that does not know the parameter begins anew.
  std::unordered_set<std::string> names;
  std::erase_if(listing.models,
                [&names](const ListedModel& model) { return !names.insert(model.name).second; });
  return listing;
}

}  // namespace batchllm
