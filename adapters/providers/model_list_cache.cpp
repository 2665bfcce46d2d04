// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/model_list_cache.h"

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/json_document.h"
#include "core/json_text.h"

#include <filesystem>
#include <utility>

namespace batchllm {
namespace {

constexpr std::string_view k_schema = "batchllm.model-cache/1";
constexpr std::size_t k_largest_file = std::size_t{32} << 20;

std::int64_t integer_of(const JsonNode& node, std::string_view name) {
  const JsonNode* member = node.find(name);
  return member == nullptr ? 0 : member->integer().value_or(0);
}

ModelListCache::Entry entry_of(const JsonNode& node) {
  ModelListCache::Entry entry;
  entry.asked_ms = integer_of(node, "asked_ms");
  entry.base_url = node.find_string("base_url").value_or("");
  const JsonNode* models = node.find("models");
  for (const JsonNode& model : models == nullptr ? std::span<const JsonNode>() : models->items()) {
    const auto name = model.find_string("name");
    const std::int64_t context = integer_of(model, "context");
    if (name && !name->empty()) {
      entry.models.push_back(
          {std::string(*name), context > 0 ? std::optional(context) : std::nullopt});
    }
  }
  return entry;
}

}  // namespace

ModelListCache::ModelListCache(std::string folder) : folder_(std::move(folder)) {
  std::error_code error;
  if (folder_.empty() || !std::filesystem::is_regular_file(path(), error)) {
    return;
  }
  try {
    read(read_file(path(), k_largest_file));
  } catch (const Error&) {
    entries_.clear();
  }
}

std::string ModelListCache::path() const {
  return folder_ + "/models.json";
}

void ModelListCache::read(const std::string& text) {
  const auto document = parse_json_document(text, JsonLimits{.bytes = k_largest_file});
  const JsonNode* providers = document ? document->find("providers") : nullptr;
  if (providers == nullptr || document->find_string("schema") != k_schema) {
    return;
  }
  for (const JsonMember& member : providers->members()) {
    entries_[member.key] = entry_of(member.value);
  }
}

const ModelListCache::Entry* ModelListCache::find(const std::string& provider,
                                                  const std::string& base_url) const {
  const auto found = entries_.find(provider);
  return found == entries_.end() || found->second.base_url != base_url ? nullptr : &found->second;
}

void ModelListCache::put(const std::string& provider, Entry entry) {
  entries_[provider] = std::move(entry);
}

void ModelListCache::save() const {
  if (folder_.empty()) {
    return;
  }
  JsonWriter json;
  json.begin_object().key("schema").string(k_schema).key("providers").begin_object();
  for (const auto& [provider, entry] : entries_) {
    json.key(provider).begin_object().key("asked_ms").number(entry.asked_ms);
    json.key("base_url").string(entry.base_url).key("models").begin_array();
    for (const ListedModel& model : entry.models) {
      json.begin_object().key("name").string(model.name).key("context");
      model.context_tokens ? json.number(*model.context_tokens) : json.null();
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_object().end_object();
  make_private_folder(folder_);
  write_file_atomically(path(), json.text() + "\n", 0600);
}

}  // namespace batchllm
