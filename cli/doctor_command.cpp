// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor_command.h"

#include "adapters/http/http_facts.h"
#include "adapters/job/api_key.h"
#include "adapters/job/provider_poll.h"
#include "adapters/secrets/kept_keys.h"
#include "adapters/sql/sqlite_database.h"
#include "cli/daemon_connection.h"
#include "cli/doctor_finding.h"
#include "cli/doctor_places.h"
#include "cli/stop_signals.h"
#include "core/clock.h"
#include "core/json_document.h"
#include "core/json_text.h"
#include "core/price_table.h"
#include "core/redaction.h"
#include "core/text.h"

#include <fmt/format.h>

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {
namespace {

std::string_view health_name(Health health) {
  constexpr std::array<std::string_view, 3> k_names = {"ok", "warn", "fail"};
  return k_names.at(static_cast<std::size_t>(health));
}

class Doctor {
 public:
  explicit Doctor(const CommandCall& call)
      : call_(call),
        settings_(call.settings),
        service_(std::make_shared<secrets::SecretService>(call.environment)) {}

  int run() {
    examine_configuration();
    const auto state = state_folder();
    examine_folders(call_.ui.directories(), state, findings_);
    if (!state.empty()) {
      examine_jobs(state, findings_);
    }
    examine_daemon();
    examine_keys();
    examine_libraries();
    examine_machine();
    if (call_.reader().flag("doctor.online")) {
      examine_providers();
    }
    return report();
  }

 private:
  void examine_configuration() {
    std::size_t read = 0;
    try {
      settings_ = load_settings(call_.line, call_.environment);
      for (const auto& [key, value] : settings_.all()) {
        check_setting(*find_option(key), value);
      }
      for (const ConfigFile& file : config_files_for(call_.line, call_.environment)) {
        read += file.exists ? 1 : 0;
      }
      findings_.ok("configuration",
                   fmt::format("{} read, {} set",
                               count_noun(read, "file"),
                               count_noun(settings_.all().size(), "value")));
    } catch (const Error& error) {
      findings_.fail("configuration", error);
    }
    try {
      surroundings_ = call_.surroundings();
      findings_.ok("models",
                   fmt::format("{}, prices of {}",
                               count_noun(surroundings_.models.providers().size(), "provider"),
                               PriceTable::built_in().as_of()));
    } catch (const Error& error) {
      findings_.fail("models", error);
      surroundings_.models = ModelCatalog::built_in();
      surroundings_.environment = call_.environment;
    }
    // A passphrase is not asked for: a locked store is told of.
    surroundings_.kept_keys =
        secrets::kept_keys(call_.ui.directories(), call_.environment, {}, service_);
  }

  std::string state_folder() const {
    const std::string chosen = SettingReader(settings_).text("state_dir");
    return chosen.empty() ? call_.ui.directories().state : chosen;
  }

  void examine_daemon() {
    try {
      DaemonClient client(daemon_connection(settings_, call_.environment));
      if (!client.is_running()) {
        findings_.ok("daemon", "not running; `run` does not need it");
      } else if (client.server_version() != BATCHLLM_VERSION) {
        findings_.warn("daemon",
                       fmt::format("batchllmd {} is running, this is batchllm {}",
                                   one_line(client.server_version(), 40),
                                   BATCHLLM_VERSION),
                       "batchllm daemon stop && batchllm daemon start");
      } else {
        findings_.ok("daemon", fmt::format("batchllmd {} is running", client.server_version()));
      }
    } catch (const Error& error) {
      findings_.fail("daemon", error);
    }
  }

  void examine_keys() {
    std::size_t found = 0;
    for (const ProviderEntry& entry : surroundings_.models.providers()) {
      const std::string subject = fmt::format("key of {}", entry.name);
      std::vector<std::string> looked_in;
      try {
        const auto key =
            look_for_key(entry, {}, call_.environment, surroundings_.kept_keys, looked_in);
        if (key) {
          ++found;
          keyed_.push_back(&entry);
          findings_.ok(
              subject,
              fmt::format("{} ({})", printable(key->origin), secrets::masked_key(key->key)));
          examine_secret_file(subject, key->file, findings_);
        }
      } catch (const Error& error) {
        ++found;
        findings_.fail(subject, error);
      }
    }
    if (found == 0) {
      findings_.warn("keys", "no provider has a key", "batchllm keys set PROVIDER");
    }
    examine_secret_service();
    const std::string folder = call_.ui.directories().data;
    if (!folder.empty()) {
      examine_secret_file("key store", folder + "/keys.json", findings_);
      examine_secret_file("key store", folder + "/keys.key", findings_);
    }
  }

  void examine_secret_service() {
    constexpr std::string_view k_subject = "Secret Service";
    const auto health = service_->health();
    switch (health.state) {
      case secrets::ServiceState::usable:
        findings_.ok(std::string(k_subject), "takes keys");
        break;
      case secrets::ServiceState::absent:
        findings_.ok(std::string(k_subject), health.why + "; keys are kept in a file");
        break;
      default:
        findings_.warn(std::string(k_subject), health.why, health.hint);
    }
  }

  void examine_libraries() {
    const HttpFacts http = http_facts();
    findings_.ok("libraries",
                 fmt::format("libcurl {}, {}, SQLite {}, libsodium {}, simdjson {}",
                             http.curl_version,
                             http.tls_version,
                             sql::sqlite_version(),
                             secrets::sodium_version(),
                             simdjson_version()));
    if (http.has_http2) {
      findings_.ok("HTTP/2", "can be used (--http2)");
    } else {
      findings_.warn("HTTP/2", "this libcurl cannot", "do without --http2");
    }
  }

  void examine_machine() {
    const Terminal& terminal = call_.ui.terminal();
    if (terminal.utf8) {
      findings_.ok("locale", "UTF-8");
    } else {
      findings_.warn("locale", "not UTF-8: signs may look wrong", "export LC_ALL=C.UTF-8");
    }
    rlimit limit{};
    const auto rows =
        static_cast<std::uint64_t>(SettingReader(settings_).count_or_default("run.concurrency"));
    const std::uint64_t needed = rows + rows / 16 + 64;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max < needed) {
      findings_.warn("open files",
                     fmt::format("at most {}, too few for {} rows in flight", limit.rlim_max, rows),
                     fmt::format("ulimit -Hn {}, or a lower --concurrency", needed));
    } else {
      findings_.ok("open files", fmt::format("enough for {} rows in flight", rows));
    }
    constexpr std::int64_t k_release_ms = 1'767'225'600'000;  // 2026-01-01
    if (SystemClock().wall_ms() < k_release_ms) {
      findings_.warn("clock", "it is years behind", "set it: signatures and certificates need it");
    } else {
      findings_.ok("clock", "plausible");
    }
    for (const char* name :
         {"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "http_proxy"}) {
      if (const auto proxy = call_.environment(name); proxy && !proxy->empty()) {
        findings_.ok("proxy", fmt::format("{}={}", name, redacted(printable(*proxy))));
      }
    }
  }

  void examine_providers() {
    std::stop_source stop;
    const StopSignals signals(stop);
    ProviderPollSettings settings;
    settings.ca_file = SettingReader(settings_).text("run.ca_file");
    settings.only_checks_key = true;
    settings.stop = stop.get_token();
    const auto polled = poll_providers(keyed_, surroundings_, settings);
    if (stop.stop_requested()) {
      throw Error(signals.error_code(), "interrupted");
    }
    for (const PolledProvider& provider : polled) {
      examine_provider(provider);
    }
  }

  void examine_provider(const PolledProvider& provider) {
    const std::string subject = fmt::format("provider {}", provider.entry->name);
    if (provider.state != PollState::asked) {
      findings_.warn(subject, provider.why, provider.hint);
      return;
    }
    const ModelListing& listing = provider.listing;
    switch (listing.end) {
      case ListingEnd::ok:
        findings_.ok(subject,
                     fmt::format("accepts the key, {} ms{}",
                                 listing.latency_ms,
                                 provider.base_url.starts_with("https:") ? ", TLS verified" : ""));
        break;
      case ListingEnd::no_list:
        findings_.ok(subject, listing.message);
        break;
      case ListingEnd::refused:
        findings_.fail(subject,
                       ErrorCode::key_refused,
                       listing.message,
                       fmt::format("batchllm keys set {}", provider.entry->name));
        break;
      default:
        findings_.fail(subject,
                       ErrorCode::provider_unreachable,
                       listing.message,
                       "look at network, proxy, certificates and the provider's status page");
    }
    if (provider.base_url.starts_with("http:") && !provider.entry->is_local) {
      findings_.warn(subject, "the key goes over the network in the clear", "use an https address");
    }
    examine_clock(subject, listing);
  }

  void examine_clock(const std::string& subject, const ModelListing& listing) {
    constexpr std::int64_t k_most_s = 60;
    const auto theirs = http_date_ms(listing.server_date);
    if (!theirs) {
      return;
    }
    const std::int64_t skew_s = (SystemClock().wall_ms() - *theirs) / 1000;
    if (std::abs(skew_s) > k_most_s) {
      findings_.warn("clock",
                     fmt::format("{} s away from that of {}", std::abs(skew_s), subject),
                     "let it be set by NTP: signed requests are refused otherwise");
    }
  }

  int report() const {
    int code = 0;
    std::array<std::size_t, 3> counts{};
    JsonWriter json;
    json.begin_object().key("schema").string("batchllm.doctor/1").key("findings").begin_array();
    std::string out;
    for (const Finding& finding : findings_.all()) {
      ++counts.at(static_cast<std::size_t>(finding.health));
      code = std::max(code, finding.exit_code);
      const std::string message = redacted(finding.message);
      json.begin_object().key("health").string(health_name(finding.health));
      json.key("subject").string(as_utf8(finding.subject)).key("message").string(as_utf8(message));
      json.key("advice").string(as_utf8(redacted(finding.advice)));
      json.key("exit_code").number(finding.exit_code).end_object();
      out += fmt::format("{:<5} {:<24} {}\n",
                         health_name(finding.health),
                         one_line(finding.subject, 24),
                         one_line(message, 400));
      if (finding.health != Health::ok && !finding.advice.empty()) {
        out += fmt::format("{:<5} {:<24} -> {}\n", "", "", one_line(redacted(finding.advice), 400));
      }
    }
    const auto [ok, warnings, failures] = counts;
    json.end_array().key("ok").number(static_cast<std::uint64_t>(ok));
    json.key("warnings").number(static_cast<std::uint64_t>(warnings));
    json.key("failures").number(static_cast<std::uint64_t>(failures));
    json.key("exit_code").number(code).end_object();
    call_.ui.out(call_.ui.json() ? json.text() + "\n" : out);
    call_.ui.messages().note(fmt::format(
        "{} ok, {}, {}", ok, count_noun(warnings, "warning"), count_noun(failures, "failure")));
    return code;
  }

  const CommandCall& call_;
  Settings settings_;
  JobSurroundings surroundings_;
  std::shared_ptr<secrets::SecretService> service_;  // with the kept keys of `surroundings_`
  std::vector<const ProviderEntry*> keyed_;
  Findings findings_;
};

}  // namespace

int doctor_command(const CommandCall& call) {
  return Doctor(call).run();
}

}  // namespace batchllm
