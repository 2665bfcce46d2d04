// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/model_catalog.h"

#include "adapters/providers/built_in_models.h"
#include "adapters/registry.h"
#include "core/atomic_file.h"
#include "core/error.h"
#include "core/filter_value.h"
#include "core/json_document.h"
#include "core/price_table.h"
#include "core/text.h"

#include <fmt/format.h>

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <sstream>

namespace batchllm {
namespace {

constexpr std::size_t k_largest_file = std::size_t{1} << 20;

constexpr std::array<std::pair<std::string_view, SchemaMode>, 4> k_schema_modes = {{
    {"native", SchemaMode::native},
    {"json_object", SchemaMode::json_object},
    {"tool", SchemaMode::tool},
    {"instructions", SchemaMode::instructions},
}};

constexpr std::array<std::string_view, 19> k_trait_names = {"token_limit",
                                                            "system_role",
                                                            "seed",
                                                            "effort",
                                                            "key_header",
                                                            "schema",
                                                            "temperature",
                                                            "limit_required",
                                                            "max_output_tokens",
                                                            "context_tokens",
                                                            "image_bytes",
                                                            "image_side",
                                                            "pdf",
                                                            "document_bytes",
                                                            "embedding_rows",
                                                            "embedding_tokens",
                                                            "dimensions",
                                                            "vectors",
                                                            "extra"};

constexpr std::array<std::string_view, 1> k_family_names = {"models"};
constexpr std::array<std::string_view, 11> k_provider_names = {"title",
                                                               "type",
                                                               "base_url",
                                                               "base_url_env",
                                                               "key_env",
                                                               "key_check",
                                                               "key_required",
                                                               "models",
                                                               "prices",
                                                               "local",
                                                               "like"};

}  // namespace

// Reads one file over a catalog.
class ModelCatalogReader {
 public:
  ModelCatalogReader(ModelCatalog& catalog, const std::string& origin)
      : catalog_(catalog),
        origin_(origin) {}

  void read(std::string_view text) {
    toml::table document;
    try {
      document = toml::parse(text, origin_);
    } catch (const toml::parse_error& error) {
      throw Error(ErrorCode::config_invalid,
                  fmt::format("{}:{}: not valid TOML: {}",
                              origin_,
                              error.source().begin.line,
                              error.description()));
    }
    if (const toml::node* providers = document.get("providers")) {
      read_providers(*providers);
    }
    if (const toml::node* families = document.get("families")) {
      read_families(*families);
    }
  }

 private:
  [[noreturn]] void refuse(const toml::node& node,
                           const std::string& what,
                           const std::string& hint) const {
    const std::string place = fmt::format("{}:{}", origin_, node.source().begin.line);
    throw Error(ErrorCode::config_invalid, fmt::format("{}: {}", place, what), hint)
        .with_detail("place", place);
  }

  const toml::table& table_of(const toml::node& node, const std::string& name) const {
    if (!node.is_table()) {
      refuse(node, fmt::format("{} must be a table", name), fmt::format("write [{}]", name));
    }
    return *node.as_table();
  }

  std::string text_of(const toml::node& node, std::string_view name) const {
    if (const auto text = node.value_exact<std::string>()) {
      return *text;
    }
    refuse(node, fmt::format("{} must be a string", name), "");
  }

  std::vector<std::string> texts_of(const toml::node& node, std::string_view name) const {
    std::vector<std::string> texts;
    if (node.is_string()) {
      texts.push_back(text_of(node, name));
      return texts;
    }
    if (!node.is_array()) {
      refuse(node, fmt::format("{} must be a list of strings", name), "");
    }
    for (const toml::node& element : *node.as_array()) {
      texts.push_back(text_of(element, name));
    }
    return texts;
  }

  bool flag_of(const toml::node& node, std::string_view name) const {
    if (const auto flag = node.value_exact<bool>()) {
      return *flag;
    }
    refuse(node, fmt::format("{} must be true or false", name), "");
  }

  std::int64_t count_of(const toml::node& node,
                        std::string_view name,
                        std::string_view what) const {
    const auto number = node.value_exact<std::int64_t>();
    if (!number || *number < 1) {
      refuse(node, fmt::format("{} must be a number of {}", name, what), "");
    }
    return *number;
  }

  std::int64_t tokens_of(const toml::node& node, std::string_view name) const {
    return count_of(node, name, "tokens");
  }

  void read_providers(const toml::node& node) {
    for (const auto& [key, value] : table_of(node, "providers")) {
      const std::string name(key.str());
      if (name.empty() || name.find_first_of("/ \t") != std::string::npos) {
        refuse(value, fmt::format("\"{}\" cannot be the name of a provider", name), "");
      }
      read_provider(name, table_of(value, "providers." + name));
    }
  }

  void read_provider(const std::string& name, const toml::table& table) {
    ProviderEntry& entry = entry_of(name, table);
    for (const auto& [key, value] : table) {
      const std::string_view member = key.str();
      if (member == "title") {
        entry.title = text_of(value, member);
      } else if (member == "type") {
        entry.dialect = dialect_of(value);
      } else if (member == "base_url") {
        entry.base_url = text_of(value, member);
      } else if (member == "base_url_env") {
        entry.base_url_env = text_of(value, member);
      } else if (member == "key_env") {
        read_key_env(value, entry);
      } else if (member == "key_check") {
        entry.key_check = text_of(value, member);
      } else if (member == "key_required") {
        entry.key_is_optional = !flag_of(value, member);
      } else if (member == "models") {
        entry.models = texts_of(value, member);
      } else if (member == "prices") {
        entry.price_list = text_of(value, member);
      } else if (member == "local") {
        entry.is_local = flag_of(value, member);
      } else if (member != "like") {
        read_trait(member, value, k_provider_names)(entry.traits);
      }
    }
    if (entry.base_url.empty()) {
      refuse(
          table, fmt::format("providers.{} has no base_url", name), "base_url = \"https://…/v1\"");
    }
    while (entry.base_url.ends_with('/')) {
      entry.base_url.pop_back();
    }
  }

  // The provider of that name; a new one begins like another (`like = "vllm"`), or like any
  // OpenAI-compatible server.
  ProviderEntry& entry_of(const std::string& name, const toml::table& table) {
    for (ProviderEntry& entry : catalog_.providers_) {
      if (entry.name == name) {
        return entry;
      }
    }
    ProviderEntry entry;
    if (const toml::node* like = table.get("like")) {
      const ProviderEntry* known = catalog_.find_provider(text_of(*like, "like"));
      if (known == nullptr) {
        const auto names = catalog_.provider_names();
        refuse(*like,
               fmt::format("there is no provider {}", printable(text_of(*like, "like"))),
               fmt::format("providers are: {}", name_list(names, names.size())));
      }
      entry = *known;
      entry.models.clear();
    }
    entry.name = name;
    entry.title = name;
    entry.dialect = entry.dialect.empty() ? "openai" : entry.dialect;
    catalog_.providers_.push_back(std::move(entry));
    return catalog_.providers_.back();
  }

  std::string dialect_of(const toml::node& node) const {
    std::string name = text_of(node, "type");
    if (find_dialect(name) == nullptr) {
      const auto names = dialect_names();
      refuse(node,
             fmt::format("type {}: no such dialect", printable(name)),
             fmt::format("dialects are: {}", name_list(names, names.size())));
    }
    return name;
  }

  void read_key_env(const toml::node& node, ProviderEntry& entry) const {
    const auto names = texts_of(node, "key_env");
    if (names.size() > 2) {
      refuse(node, "key_env has more than two variables", "");
    }
    entry.key_env = names.empty() ? "" : names.front();
    entry.key_env_too = names.size() < 2 ? "" : names.back();
  }

  void read_families(const toml::node& node) {
    if (!node.is_array()) {
      refuse(node, "families must be a list of tables", "write [[families]]");
    }
    for (const toml::node& element : *node.as_array()) {
      const toml::table& table = table_of(element, "[families]");
      const toml::node* models = table.get("models");
      if (models == nullptr) {
        refuse(table, "a family has no models", "models = [\"openai/gpt-5*\"]");
      }
      ModelCatalog::Family family;
      family.patterns = texts_of(*models, "models");
      for (const auto& [key, value] : table) {
        if (key.str() != "models") {
          family.changes.push_back(read_trait(key.str(), value, k_family_names));
        }
      }
      catalog_.families_.push_back(std::move(family));
    }
  }

  // What a member changes about a model.
  template <typename Others>
  ModelCatalog::TraitChange read_trait(std::string_view name,
                                       const toml::node& node,
                                       const Others& others) const {
    if (name == "token_limit") {
      return [text = text_of(node, name)](ModelTraits& traits) { traits.token_limit = text; };
    }
    if (name == "system_role") {
      return [text = text_of(node, name)](ModelTraits& traits) { traits.system_role = text; };
    }
    if (name == "seed") {
      return [text = text_of(node, name)](ModelTraits& traits) { traits.seed = text; };
    }
    if (name == "effort") {
      return [text = text_of(node, name)](ModelTraits& traits) { traits.effort = text; };
    }
    if (name == "key_header") {
      return [text = text_of(node, name)](ModelTraits& traits) { traits.key_header = text; };
    }
    if (name == "schema") {
      return [mode = schema_mode_of(node)](ModelTraits& traits) { traits.schema_mode = mode; };
    }
    if (name == "temperature") {
      return [is = flag_of(node, name)](ModelTraits& traits) { traits.takes_temperature = is; };
    }
    if (name == "limit_required") {
      return [is = flag_of(node, name)](ModelTraits& traits) { traits.limit_is_required = is; };
    }
    if (name == "max_output_tokens") {
      return [n = tokens_of(node, name)](ModelTraits& traits) { traits.max_output_tokens = n; };
    }
    if (name == "context_tokens") {
      return [n = tokens_of(node, name)](ModelTraits& traits) { traits.context_tokens = n; };
    }
    if (name == "image_bytes") {
      return [n = count_of(node, name, "bytes")](ModelTraits& traits) { traits.image_bytes = n; };
    }
    if (name == "image_side") {
      return [n = count_of(node, name, "pixels")](ModelTraits& traits) { traits.image_side = n; };
    }
    if (name == "pdf") {
      return [is = flag_of(node, name)](ModelTraits& traits) { traits.takes_pdf = is; };
    }
    if (name == "document_bytes") {
      return
          [n = count_of(node, name, "bytes")](ModelTraits& traits) { traits.document_bytes = n; };
    }
    if (name == "embedding_rows") {
      return [n = count_of(node, name, "rows")](ModelTraits& traits) { traits.embedding_rows = n; };
    }
    if (name == "embedding_tokens") {
      return [n = tokens_of(node, name)](ModelTraits& traits) { traits.embedding_tokens = n; };
    }
    if (name == "dimensions") {
      return [text = text_of(node, name)](ModelTraits& traits) { traits.dimensions = text; };
    }
    if (name == "vectors") {
      return [text = text_of(node, name)](ModelTraits& traits) { traits.vectors = text; };
    }
    if (name == "extra") {
      return [json = members_of(node)](ModelTraits& traits) { traits.extra = json; };
    }
    refuse_unknown(name, node, others);
  }

  SchemaMode schema_mode_of(const toml::node& node) const {
    const std::string name = text_of(node, "schema");
    for (const auto& [word, mode] : k_schema_modes) {
      if (word == name) {
        return mode;
      }
    }
    refuse(node,
           fmt::format("schema {}: no such mode", printable(name)),
           "modes are: native, json_object, tool and instructions");
  }

  // A table as the members of a JSON object.
  std::string members_of(const toml::node& node) const {
    std::ostringstream out;
    out << toml::json_formatter(table_of(node, "extra"), toml::format_flags::none);
    const auto document = parse_json_document(out.str(), {});
    if (!document) {
      refuse(node, "extra has a value that JSON does not know", "");
    }
    const std::string json = document->to_json();
    return json.substr(1, json.size() - 2);
  }

  template <typename Others>
  [[noreturn]] void refuse_unknown(std::string_view name,
                                   const toml::node& node,
                                   const Others& others) const {
    std::vector<std::string> known(k_trait_names.begin(), k_trait_names.end());
    known.insert(known.end(), others.begin(), others.end());
    const auto nearest = nearest_name(std::string(name), known);
    refuse(node,
           fmt::format("unknown key {}", printable(name)),
           nearest ? fmt::format("did you mean {}?", *nearest)
                   : fmt::format("keys are: {}", name_list(known, known.size())));
  }

  ModelCatalog& catalog_;
  const std::string& origin_;
};

const ModelCatalog& ModelCatalog::built_in() {
  static const ModelCatalog catalog = [] {
    std::string text;
    for (const std::string_view piece : built_in_models_toml()) {
      text += piece;
    }
    ModelCatalog built;
    built.add(text, "share/models.toml");
    return built;
  }();
  return catalog;
}

ModelCatalog ModelCatalog::load(const std::vector<std::string>& files) {
  ModelCatalog catalog = built_in();
  for (const std::string& file : files) {
    std::error_code error;
    if (std::filesystem::is_regular_file(file, error)) {
      catalog.add(read_file(file, k_largest_file), file);
    }
  }
  return catalog;
}

void ModelCatalog::add(std::string_view toml, const std::string& origin) {
  ModelCatalogReader(*this, origin).read(toml);
}

const ProviderEntry* ModelCatalog::find_provider(std::string_view name) const noexcept {
  const auto found =
      std::find_if(providers_.begin(), providers_.end(), [name](const ProviderEntry& entry) {
        return entry.name == name;
      });
  return found == providers_.end() ? nullptr : &*found;
}

std::vector<std::string> ModelCatalog::provider_names() const {
  std::vector<std::string> names;
  for (const ProviderEntry& entry : providers_) {
    names.push_back(entry.name);
  }
  return names;
}

ModelTraits ModelCatalog::traits_of(const ModelSpec& spec) const {
  const ProviderEntry* provider = find_provider(spec.provider);
  ModelTraits traits = provider == nullptr ? ModelTraits{} : provider->traits;
  const std::string text = spec.text();
  for (const Family& family : families_) {
    const bool belongs = std::any_of(
        family.patterns.begin(), family.patterns.end(), [&text](const std::string& pattern) {
          return matches_pattern(text, pattern);
        });
    for (const TraitChange& change : family.changes) {
      if (belongs) {
        change(traits);
      }
    }
  }
  return traits;
}

ModelSpec ModelCatalog::resolve(std::string_view text) const {
  const std::string_view name = trim(text);
  const auto slash = name.find('/');
  if (!name.empty() &&
      (slash == std::string_view::npos || find_provider(name.substr(0, slash)) == nullptr)) {
    std::vector<std::string> serving;
    for (const ProviderEntry& entry : providers_) {
      if (serves(entry, name)) {
        serving.push_back(entry.name);
      }
    }
    if (serving.size() == 1) {
      return {serving.front(), std::string(name)};
    }
    if (serving.size() > 1) {
      throw Error(ErrorCode::usage,
                  fmt::format("\"{}\" does not say which provider serves it", one_line(name, 80)),
                  fmt::format("it is a model of {}: write {}/{}",
                              name_list(serving, serving.size()),
                              serving.front(),
                              one_line(name, 80)));
    }
  }
  return parse_model_spec(name, provider_names());
}

bool ModelCatalog::serves(const ProviderEntry& provider, std::string_view model) const {
  const std::string spec = fmt::format("{}/{}", provider.name, model);
  return PriceTable::built_in().entries().contains(spec) ||
         std::find(provider.models.begin(), provider.models.end(), model) != provider.models.end();
}

}  // namespace batchllm
