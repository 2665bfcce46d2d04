// SPDX-License-Identifier: Apache-2.0
#include "cli/models_command.h"

#include "adapters/job/provider_poll.h"
#include "adapters/providers/known_models.h"
#include "adapters/providers/provider_address.h"
#include "cli/model_view.h"
#include "cli/provider_name.h"
#include "cli/stop_signals.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace batchllm {
namespace {

class ModelsCommand {
 public:
  explicit ModelsCommand(const CommandCall& call)
      : call_(call),
        surroundings_(call.surroundings()),
        cache_(call.ui.directories().cache) {}

  int list() {
    const auto providers = chosen_providers();
    std::vector<PolledProvider> polled;
    if (call_.reader().flag("models.refresh")) {
      polled = refresh(providers);
    }
    const auto models = models_of(providers);
    call_.ui.out(call_.ui.json() ? models_json(models, polled) : models_table(models));
    if (!call_.ui.json()) {
      call_.ui.messages().note(fmt::format(
          "{}; prices of {}", count_noun(models.size(), "model"), PriceTable::built_in().as_of()));
    }
    return exit_code_of(polled);
  }

  int prices() {
    std::vector<KnownModel> models = models_of(chosen_providers());
    models.erase(std::remove_if(models.begin(),
                                models.end(),
                                [](const KnownModel& model) {
                                  return !model.price || model.price->listed_as.empty();
                                }),
                 models.end());
    const PriceTable& table = PriceTable::built_in();
    call_.ui.out(call_.ui.json() ? prices_json(models, table) : prices_table(models));
    if (!call_.ui.json()) {
      call_.ui.messages().note(fmt::format(
          "USD per 1,000,000 tokens, as of {}: an estimate, never a bill", table.as_of()));
    }
    return 0;
  }

  int show() {
    const ModelCatalog& catalog = surroundings_.models;
    const std::string& name = call_.line.arguments.front();
    const ModelSpec spec = resolved(name);
    const ProviderEntry& entry = *catalog.find_provider(spec.provider);
    const auto* cached = cached_list(entry);
    const auto models = known_models(catalog, entry, cached);
    ShownModel shown{known_model(catalog, spec, cached), &entry, name, {}, false};
    shown.is_listed = std::any_of(models.begin(), models.end(), [&spec](const auto& model) {
      return model.spec.model == spec.model;
    });
    const bool is_priced = shown.model.price && !shown.model.price->listed_as.empty();
    // A provider that names none may have any.
    if (!shown.is_listed && !is_priced && !models.empty()) {
      refuse_model(spec, models);
    }
    shown.base_url = base_url_of(entry);
    call_.ui.out(call_.ui.json() ? model_json(shown) : model_text(shown));
    return 0;
  }

 private:
  // A name that stands for no provider's model is not known; how it was written is no fault here.
  ModelSpec resolved(const std::string& name) const {
    try {
      return surroundings_.models.resolve(name);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::usage) {
        throw;
      }
      std::vector<std::string> names;
      for (const KnownModel& model : models_of(chosen_providers())) {
        names.push_back(model.spec.text());
        names.push_back(model.spec.model);
      }
      const auto near = nearest_name(name, names);
      throw Error(ErrorCode::model_unknown,
                  error.message(),
                  near ? fmt::format("did you mean {}?", *near) : error.hint());
    }
  }

  [[noreturn]] void refuse_model(const ModelSpec& spec,
                                 const std::vector<KnownModel>& models) const {
    std::vector<std::string> names;
    for (const KnownModel& model : models) {
      names.push_back(model.spec.text());
    }
    const auto near = nearest_name(spec.text(), names);
    throw Error(ErrorCode::model_unknown,
                fmt::format("nothing is known here of {}", one_line(spec.text(), 100)),
                near ? fmt::format("did you mean {}?", *near)
                     : fmt::format("batchllm models list --provider {} --refresh asks the provider",
                                   spec.provider))
        .with_detail("model", one_line(spec.text(), 200));
  }

  std::vector<const ProviderEntry*> chosen_providers() const {
    const std::string name = call_.reader().text("models.provider");
    if (!name.empty()) {
      return {&provider_named(surroundings_.models, name)};
    }
    std::vector<const ProviderEntry*> all;
    for (const ProviderEntry& entry : surroundings_.models.providers()) {
      all.push_back(&entry);
    }
    return all;
  }

  // Empty when a variable is missing that it needs.
  std::string base_url_of(const ProviderEntry& entry) const {
    try {
      return address_of(entry, {}, surroundings_.environment).url;
    } catch (const Error&) {
      return {};
    }
  }

  const ModelListCache::Entry* cached_list(const ProviderEntry& entry) const {
    return cache_.find(entry.name, base_url_of(entry));
  }

  std::vector<KnownModel> models_of(const std::vector<const ProviderEntry*>& providers) const {
    std::vector<KnownModel> models;
    for (const ProviderEntry* entry : providers) {
      for (KnownModel& model : known_models(surroundings_.models, *entry, cached_list(*entry))) {
        models.push_back(std::move(model));
      }
    }
    return models;
  }

  std::vector<PolledProvider> refresh(const std::vector<const ProviderEntry*>& providers) {
    std::stop_source stop;
    const StopSignals signals(stop);
    ProviderPollSettings settings;
    settings.ca_file = call_.reader().text("run.ca_file");
    settings.stop = stop.get_token();
    auto polled = poll_providers(providers, surroundings_, settings);
    if (stop.stop_requested()) {
      throw Error(signals.error_code(), "interrupted; the lists stay as they were");
    }
    const std::int64_t now_ms = SystemClock().wall_ms();
    for (const PolledProvider& provider : polled) {
      if (provider.state == PollState::asked && provider.listing.end == ListingEnd::ok) {
        cache_.put(provider.entry->name, {now_ms, provider.base_url, provider.listing.models});
      }
    }
    cache_.save();
    tell(polled);
    return polled;
  }

  void tell(const std::vector<PolledProvider>& polled) {
    std::vector<std::string> keyless;
    std::vector<std::string> absent;
    for (const PolledProvider& provider : polled) {
      const std::string& name = provider.entry->name;
      if (provider.state == PollState::no_key) {
        keyless.push_back(name);
      } else if (provider.state == PollState::no_address) {
        call_.ui.messages().detail(fmt::format("{}: {}", name, provider.why));
      } else if (provider.listing.end == ListingEnd::ok) {
        call_.ui.messages().note(
            fmt::format("{}: {}{}",
                        name,
                        count_noun(provider.listing.models.size(), "model"),
                        provider.listing.is_cut ? ", and more that were not asked for" : ""));
      } else if (provider.entry->is_local && provider.listing.status == 0) {
        absent.push_back(name);
      } else {
        call_.ui.messages().warning(fmt::format("{}: {}", name, provider.listing.message));
      }
    }
    if (!absent.empty()) {
      call_.ui.messages().note(
          fmt::format("Not running here: {}", name_list(absent, absent.size())));
    }
    if (!keyless.empty() && polled.size() > 1) {
      call_.ui.messages().note(
          fmt::format("No key, not asked: {}", name_list(keyless, keyless.size())));
    }
  }

  // Only when one provider was asked for does its silence make the command fail.
  int exit_code_of(const std::vector<PolledProvider>& polled) const {
    if (polled.size() != 1) {
      return 0;
    }
    const PolledProvider& only = polled.front();
    if (only.state == PollState::no_address) {
      throw Error(ErrorCode::usage, only.why, only.hint);
    }
    if (only.state == PollState::no_key) {
      throw Error(only.code, only.why, only.hint);
    }
    if (only.listing.end == ListingEnd::refused) {
      return error_kind(ErrorCode::key_refused).exit_code;
    }
    const bool has_answer =
        only.listing.end == ListingEnd::ok || only.listing.end == ListingEnd::no_list;
    return has_answer ? 0 : error_kind(ErrorCode::provider_unreachable).exit_code;
  }

  const CommandCall& call_;
  JobSurroundings surroundings_;
  ModelListCache cache_;
};

}  // namespace

int models_command(const CommandCall& call) {
  ModelsCommand command(call);
  switch (call.command()) {
    case Command::models_show:
      return command.show();
    case Command::models_prices:
      return command.prices();
    default:
      return command.list();
  }
}

}  // namespace batchllm
