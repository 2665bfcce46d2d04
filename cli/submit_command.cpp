// SPDX-License-Identifier: Apache-2.0
#include "cli/submit_command.h"

#include "adapters/job/job_output.h"
#include "cli/daemon_client.h"
#include "cli/daemon_command.h"
#include "cli/daemon_connection.h"
#include "cli/dry_run.h"
#include "cli/job_body.h"
#include "cli/job_preparation.h"
#include "cli/jobs_wait_command.h"
#include "cli/queued_job.h"
#include "cli/settings_loader.h"
#include "cli/submit_request.h"
#include "cli/temporary_input.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/setting_reader.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

namespace batchllm {
namespace {

namespace fs = std::filesystem;

class Submission {
 public:
  Submission(const CommandLine& line,
             const Settings& settings,
             const EnvironmentLookup& environment,
             Ui& ui)
      : line_(line),
        settings_(settings),
        environment_(environment),
        surroundings_(surroundings_of(line, environment)),
        ui_(ui),
        request_(read_submit_request(line, settings, SystemClock().wall_ms())),
        connection_(daemon_connection(settings, environment)),
        client_(connection_) {}

  int run() {
    take_standard_input();
    JobRecord record = make_job_record(request_.run);
    if (request_.run.dry_run || request_.run.show_prompts) {
      return dry_run(record, request_.run, surroundings_, ui_);
    }
    check(record);
    if (!client_.is_running()) {
      start_or_refuse();
    }
    const auto inputs = send_inputs(client_,
                                    record,
                                    is_local_daemon(connection_),
                                    standard_input_ ? standard_input_->path() : std::string(),
                                    request_.idempotency_key);
    const std::string body = submit_body(request_, record, inputs);
    const DaemonJob job = read_daemon_job(client_.post("/jobs", body, request_.idempotency_key));
    report(job);
    return request_.waits
               ? jobs_wait_command({{job.id}, std::nullopt, false}, settings_, environment_, ui_)
               : 0;
  }

 private:
  void take_standard_input() {
    auto& inputs = request_.run.settings.inputs;
    const auto dash = std::find(inputs.begin(), inputs.end(), "-");
    if (dash != inputs.end()) {
      standard_input_.emplace();
      *dash = standard_input_->path();
    }
  }

  void check(JobRecord& record) const {
    check_job_for_daemon(record, surroundings_);
    if (!record.settings.output.path.empty() && is_local_daemon(connection_)) {
      check_output_is_free(record);
    }
  }

  void start_or_refuse() {
    const bool is_ours = SettingReader(settings_).text("host").empty();
    const bool can_ask = ui_.terminal().input_is_terminal && ui_.terminal().error_is_terminal &&
                         !ui_.options().no_input;
    if (!is_ours || !(ui_.options().yes || can_ask)) {
      throw Error(ErrorCode::daemon_unreachable,
                  fmt::format("batchllmd is not running: nobody listens at {}; nothing was queued",
                              client_.address()),
                  is_ours ? "start it with: batchllm daemon start   (submit --yes starts it)"
                          : "start it there with: batchllm daemon start");
    }
    ui_.confirm("batchllmd is not running. Start it in the background?");
    start_daemon(line_, settings_, environment_, ui_);
  }

  void report(const DaemonJob& job) {
    if (ui_.json()) {
      JsonWriter json;
      json.begin_object().key("schema").string("batchllm.submit/1");
      json.key("job").raw(daemon_job_json(job)).end_object();
      ui_.out(json.text() + "\n");
    } else if (!ui_.terminal().output_is_terminal) {
      ui_.out(job.id + "\n");
    } else {
      const std::string why = reason_text(job);
      ui_.out(fmt::format("Queued {}{}. Look: batchllm jobs {} {}\n",
                          job.id,
                          why.empty() ? "" : fmt::format(" ({})", why + place_in_queue(job)),
                          job.state == "waiting_input" ? "answer" : "watch",
                          job.id));
    }
  }

  // How many jobs come before it, as far as one page of them tells.
  std::string place_in_queue(const DaemonJob& job) {
    if (job.state != "queued" || job.reason != "queue") {
      return {};
    }
    const JsonNode page = client_.get("/jobs", {{"state", "queued"}, {"limit", "1000"}});
    const JsonNode* items = page.find("items");
    std::size_t before = 0;
    for (const JsonNode& item : items == nullptr ? std::span<const JsonNode>() : items->items()) {
      const DaemonJob other = read_daemon_job(item);
      before +=
          other.id != job.id && other.reason == "queue" && other.priority >= job.priority ? 1 : 0;
    }
    return before == 0 ? ", next" : fmt::format(", {} before it", count_noun(before, "job"));
  }

  const CommandLine& line_;
  const Settings& settings_;
  const EnvironmentLookup& environment_;
  const JobSurroundings surroundings_;
  Ui& ui_;
  SubmitRequest request_;
  std::optional<TemporaryInput> standard_input_;
  DaemonClientSettings connection_;
  DaemonClient client_;
};

}  // namespace

int submit_command(const CommandLine& line,
                   const Settings& settings,
                   const EnvironmentLookup& environment,
                   Ui& ui) {
  return Submission(line, settings, environment, ui).run();
}

}  // namespace batchllm
