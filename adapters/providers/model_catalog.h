// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/model_traits.h"
#include "core/model_spec.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// A provider that a model spec can name ("openai" in openai/gpt-4o-mini).
struct ProviderEntry {
  std::string name;
  std::string title;         // for messages
  std::string dialect;       // of adapters/registry.h; `type` in files
  std::string base_url;      // without a slash at the end; may hold {VARIABLE} of the environment
  std::string base_url_env;  // overrides base_url; empty: none
  std::string key_env;       // where its key is looked for; empty: it needs none
  std::string key_env_too;   // and here, when that is not set
  std::vector<std::string> models;  // that a user listed; the price table knows others
  std::string key_check;  // path behind the base URL that only a good key gets; empty: its list
  bool key_is_optional = false;  // it has credentials of its own kind when there is none
  std::string price_list;        // the provider whose prices hold; empty: its own
  bool is_local = false;         // costs nothing
  ModelTraits traits;            // of its models, unless a family says otherwise
};

// Who serves models and how they differ: share/models.toml, and what the user's files put over it.
// Immutable once loaded: any thread may read.
//
// A file has tables [providers.NAME] and a list [[families]]; see man/batchllm-models.5. Later ones
// win, member by member.
class ModelCatalog {
 public:
  // The catalog that ships with the program, parsed at its first use.
  static const ModelCatalog& built_in();

  // The built-in one with the user's files over it, in this order: configuration files, of which
  // only [providers.NAME] counts, and files in the format of share/models.toml. Those that are not
  // there are passed over. Throws Error(config_invalid) naming file and line.
  static ModelCatalog load(const std::vector<std::string>& files);

  // Reads one file in the format of share/models.toml over what is there. Throws as `load`.
  void add(std::string_view toml, const std::string& origin);

  // nullptr when there is none of that name.
  const ProviderEntry* find_provider(std::string_view name) const noexcept;

  // In the order of the files.
  const std::vector<ProviderEntry>& providers() const noexcept { return providers_; }

  std::vector<std::string> provider_names() const;

  // Those of the provider, then those of every family that the model's name belongs to.
  ModelTraits traits_of(const ModelSpec& spec) const;

  // Reads a model spec as parse_model_spec does; a name without provider is taken when exactly one
  // provider is known to serve a model of that name.
  ModelSpec resolve(std::string_view text) const;

 private:
  friend class ModelCatalogReader;

  using TraitChange = std::function<void(ModelTraits&)>;

  struct Family {
    std::vector<std::string> patterns;  // of model specs; `*` stands for anything
    std::vector<TraitChange> changes;
  };

  bool serves(const ProviderEntry& provider, std::string_view model) const;

  std::vector<ProviderEntry> providers_;
  std::vector<Family> families_;
};

}  // namespace batchllm
