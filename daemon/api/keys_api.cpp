// SPDX-License-Identifier: Apache-2.0
#include "adapters/registry.h"
#include "adapters/secrets/key_vault.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/secret.h"
#include "core/text.h"
#include "core/time_text.h"
#include "daemon/api/api_handlers.h"
#include "daemon/api/page.h"
#include "daemon/api/request_members.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <string>

namespace batchllm::daemon {
namespace {

constexpr std::size_t k_longest_key = 4096;
constexpr std::size_t k_longest_label = 100;
constexpr std::size_t k_most_body = std::size_t{64} << 10;

// A stored key as it may be shown.
struct ShownKey {
  std::int64_t number = 0;
  std::string id;
  std::string provider;
  std::string label;
  std::string masked;
  std::int64_t created_ms = 0;
};

std::string key_document(const ShownKey& key) {
  JsonWriter json;
  json.begin_object().key("id").string(key.id).key("provider").string(key.provider);
  json.key("label").string(key.label).key("masked").string(key.masked);
  return json.key("created_at").string(rfc3339_text(key.created_ms)).end_object().text();
}

std::string make_key_id() {
  constexpr std::string_view k_base32 = "abcdefghijklmnopqrstuvwxyz234567";
  constexpr int k_random_characters = 12;
  static thread_local std::random_device random;
  std::string id = "key_";
  for (int i = 0; i < k_random_characters; ++i) {
    id += k_base32[random() % k_base32.size()];
  }
  return id;
}

void check_provider(const ModelCatalog& models, const std::string& name) {
  const ProviderEntry* entry = models.find_provider(name);
  if (entry == nullptr) {
    const auto nearest = nearest_name(name, models.provider_names());
    throw Error(ErrorCode::usage,
                fmt::format("there is no provider {}", printable(name)),
                nearest ? fmt::format("did you mean {}?", *nearest)
                        : fmt::format("providers are {}", name_list(models.provider_names())));
  }
  if (entry->key_env.empty()) {
    throw Error(ErrorCode::usage, fmt::format("{} needs no key", entry->title));
  }
}

// A key goes into a header: one line of visible ASCII.
Secret take_key(std::string text) {
  const bool is_plain =
      std::all_of(text.begin(), text.end(), [](char byte) { return byte > ' ' && byte <= '~'; });
  if (!is_plain) {
    wipe(text);
    throw Error(ErrorCode::usage,
                "key is not an API key",
                "a key is one word of letters, digits and punctuation");
  }
  Secret key(text);
  wipe(text);
  return key;
}

}  // namespace

HttpResponse create_key(ApiContext& context, ApiCall& call) {
  const JsonNode body = call.json_body(k_most_body);
  const RequestMembers members(body, {"provider", "label", "key"});
  ShownKey shown;
  shown.provider = members.require_text("provider");
  check_provider(context.surroundings.models, shown.provider);
  shown.label = members.text("label", k_longest_label).value_or("default");
  const Secret key = take_key(members.require_text("key", k_longest_key));
  shown.id = make_key_id();
  shown.masked = secrets::masked_key(key.reveal());
  const secrets::SealedKey sealed = context.vault.seal(shown.id, shown.provider, key);
  HttpResponse response = post_once(context, call, call.body_text(), [&](JobTable& jobs) {
    sql::Database& database = jobs.database();
    if (database.integer("SELECT 1 FROM provider_keys WHERE provider = ? AND label = ?",
                         shown.provider,
                         shown.label)) {
      throw Error(
          ErrorCode::name_taken,
          fmt::format("there is a key of {} labelled {}", shown.provider, printable(shown.label)),
          "remove it first, or choose another label");
    }
    shown.created_ms = jobs.now_ms();
    database.run(
        "INSERT INTO provider_keys (id, provider, label, kek_id, nonce, ciphertext, hint, "
        "created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        shown.id,
        shown.provider,
        shown.label,
        sealed.kek_id,
        sealed.nonce_b64,
        sealed.ciphertext_b64,
        shown.masked,
        shown.created_ms);
    return PostAnswer{201, key_document(shown), {}};
  });
  wipe(call.body_text_);
  return response;
}

HttpResponse list_keys(ApiContext& context, ApiCall& call) {
  const PageRequest page = read_page_request(call);
  const std::int64_t before = page.cursor_number().value_or(INT64_MAX);
  return context.store.read([&](sql::Database& database) {
    PageWriter writer(page);
    auto query = database.prepare(
        "SELECT rowid, id, provider, label, hint, created_at FROM provider_keys WHERE rowid < ? "
        "ORDER BY rowid DESC LIMIT ?");
    query.bind_all(before, page.limit + 1);
    while (query.step()) {
      const ShownKey key{query.integer(0),
                         query.string(1),
                         query.string(2),
                         query.string(3),
                         query.string(4),
                         query.integer(5)};
      if (!writer.add(key_document(key), std::to_string(key.number))) {
        break;
      }
    }
    return json_response(200, writer.text());
  });
}

HttpResponse remove_key(ApiContext& context, ApiCall& call) {
  const std::string& id = call.parts.at(0);
  context.store.write([&id](JobTable& jobs) {
    if (jobs.database().run("DELETE FROM provider_keys WHERE id = ?", id) == 0) {
      throw Error(ErrorCode::key_not_found,
                  fmt::format("there is no stored key {}", printable(id)),
                  "GET /api/v1/api-keys lists them");
    }
  });
  HttpResponse response;
  response.status = 204;
  return response;
}

}  // namespace batchllm::daemon
