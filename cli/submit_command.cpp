// SPDX-License-Identifier: Apache-2.0
#include "cli/submit_command.h"

#include "adapters/job/job_encoder.h"
#include "adapters/job/job_inputs.h"
#include "adapters/job/job_model.h"
#include "adapters/job/job_output.h"
#include "cli/daemon_client.h"
#include "cli/daemon_command.h"
#include "cli/daemon_connection.h"
#include "cli/dry_run.h"
#include "cli/job_preparation.h"
#include "cli/jobs_wait_command.h"
#include "cli/queued_job.h"
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
        ui_(ui),
        request_(read_submit_request(line, settings, SystemClock().wall_ms())),
        connection_(daemon_connection(settings, environment)),
        client_(connection_) {}

  int run() {
    take_standard_input();
    JobRecord record = make_job_record(request_.run);
    if (request_.run.dry_run || request_.run.show_prompts) {
      return dry_run(record, request_.run, environment_, ui_);
    }
    check(record);
    if (!client_.is_running()) {
      start_or_refuse();
    }
    const std::string body = submit_body(request_, record, send_inputs(record));
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

  // What `run` finds wrong before it asks anything; the key is the daemon's.
  void check(JobRecord& record) const {
    JobInputs inputs(record, "");
    const JobModel model = make_model(record.settings, environment_, false);
    static_cast<void>(model.provider->endpoint());  // the address can be read
    const auto source = inputs.open_first();
    make_encoder(record, *source, *model.provider);
    const std::string& output = record.settings.output.path;
    if (!output.empty()) {
      record.output_path = fs::absolute(output).lexically_normal().string();
    }
    if (!output.empty() && is_local_daemon(connection_)) {
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

  // A daemon of this machine reads the files itself; what came by standard input is gone
  // afterwards.
  std::vector<SubmittedInput> send_inputs(const JobRecord& record) {
    std::vector<SubmittedInput> inputs;
    for (const InputFingerprint& input : record.inputs) {
      const bool is_temporary = standard_input_ && input.path == standard_input_->path();
      if (is_local_daemon(connection_) && !is_temporary) {
        inputs.push_back({{}, input.path});
        continue;
      }
      // The same key sends the same file, under the same id, only once.
      const std::string key =
          request_.idempotency_key.empty()
              ? std::string()
              : fmt::format("{}/input/{}", request_.idempotency_key, inputs.size());
      const JsonNode file = client_.upload(input.path, {}, key);
      inputs.push_back({std::string(file.find_string("id").value_or("")), {}});
    }
    return inputs;
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
