// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/job_request.h"

#include "adapters/files/file_name.h"
#include "adapters/input.h"
#include "adapters/job/job_encoder.h"
#include "adapters/job/job_form.h"
#include "adapters/job/job_model.h"
#include "adapters/job/job_output.h"
#include "adapters/job/job_steps.h"
#include "adapters/stream/byte_stream.h"
#include "adapters/stream/raw_bytes.h"
#include "core/chat_template.h"
#include "core/error.h"
#include "core/job_id.h"
#include "core/job_settings_reader.h"
#include "core/process_setup.h"
#include "core/request_options.h"
#include "core/text.h"
#include "daemon/api/project_name.h"
#include "daemon/api/request_members.h"
#include "daemon/queue/input_links.h"

#include <fmt/format.h>

#include <unistd.h>

#include <map>
#include <memory>
#include <utility>

namespace batchllm::daemon {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_most_inputs = 1000;
constexpr std::size_t k_most_messages = 100;
constexpr std::size_t k_most_dependencies = 100;
constexpr std::size_t k_longest_name = 200;

enum class Purpose { submission, trial };

class RequestReader {
 public:
  // A trial stores nothing, and does not need inputs to be there.
  RequestReader(ApiContext& context,
                const JsonNode& body,
                const JobRequestFrame& frame,
                Purpose purpose)
      : context_(context),
        frame_(frame),
        is_trial_(purpose == Purpose::trial),
        body_(body,
              {"input",
               "inputs",
               "options",
               "messages",
               "steps",
               "name",
               "project",
               "priority",
               "not_before",
               "after",
               "tags",
               "output_path",
               "approval",
               "on_limit"}) {}

  JobRequest read() {
    read_settings();
    read_questions();
    read_inputs();
    read_handling();
    check();
    finish();
    return std::move(request_);
  }

 private:
  void read_settings() {
    const JsonNode& options = body_.require("options");
    const Settings settings = settings_from_options(options_from_json(options));
    record_.settings = read_job_settings(settings, {});
    take_schema(record_.settings.answer);
    if (const auto path = body_.text("output_path", k_longest_path)) {
      if (!path->starts_with('/')) {
        throw Error(ErrorCode::usage, "output_path must be an absolute path");
      }
      record_.settings.output.path = *path;
    }
    record_.output_path = record_.settings.output.path;
    record_.result_in_folder = record_.output_path.empty();
  }

  void read_questions() {
    const JsonNode* messages = body_.find("messages");
    const JsonNode* steps = body_.find("steps");
    if (messages != nullptr && steps != nullptr) {
      throw Error(ErrorCode::usage, "either messages or steps: each step has messages of its own");
    }
    if (frame_.chat != nullptr) {
      record_.messages = take_template(*frame_.chat, record_.settings);
      if (!frame_.chat->steps.empty()) {
        make_steps(frame_.chat->steps, record_);
      }
    } else if (steps != nullptr) {
      read_steps(*steps);
    } else if (messages != nullptr) {
      for (auto& message : messages_in(*messages, "messages")) {
        record_.messages.push_back(
            {std::move(message.role), std::move(message.text), message.origin.name});
      }
      ask_compared_models(record_);
    } else {
      make_questions(record_);
    }
    if (record_.messages.empty()) {
      throw Error(ErrorCode::usage,
                  "what is to be asked? options.prompt, messages or steps is missing",
                  "for example \"options\": {\"model\": \"openai/gpt-4o-mini\", \"prompt\": "
                  "\"Classify: {text}\"}");
    }
    if (record_.settings.model.model.empty()) {
      throw Error(ErrorCode::usage,
                  "who is to be asked? options.model is missing",
                  "for example openai/gpt-4o-mini");
    }
    name_models(record_, context_.surroundings.models);
  }

  static std::vector<ChatTemplateText::Message> messages_in(const JsonNode& given,
                                                            const std::string& origin) {
    if (given.items().empty() || given.items().size() > k_most_messages) {
      throw Error(ErrorCode::usage,
                  fmt::format("{} must be an array of 1 to {}", origin, k_most_messages));
    }
    std::vector<ChatTemplateText::Message> messages;
    for (const JsonNode& message : given.items()) {
      const RequestMembers members(message, {"role", "content"});
      members.require("role");
      static_cast<void>(members.choice("role", {"system", "user", "assistant"}));
      messages.push_back({members.require_text("role"),
                          members.require_text("content", std::size_t{1} << 20),
                          TemplateOrigin{origin}});
    }
    return messages;
  }

  void read_steps(const JsonNode& given) {
    if (given.items().empty()) {
      throw Error(ErrorCode::usage, "steps must be an array of one or more");
    }
    std::vector<ChatTemplateText::Step> steps;
    for (const JsonNode& one : given.items()) {
      const std::string origin = fmt::format("steps[{}]", steps.size());
      try {
        steps.push_back(step_in(one, origin));
      } catch (Error& error) {
        throw std::move(error).with_context(origin);
      }
    }
    make_steps(std::move(steps), record_);
  }

  static ChatTemplateText::Step step_in(const JsonNode& given, const std::string& origin) {
    const RequestMembers members(given, {"name", "when", "messages", "options"});
    ChatTemplateText::Step step;
    step.name = members.text("name", k_longest_name).value_or("");
    step.when = members.text("when").value_or("");
    step.messages = messages_in(members.require("messages"), origin + ".messages");
    if (const JsonNode* options = members.find("options")) {
      JobSettings settings =
          read_job_settings(settings_from_step_options(options_from_json(*options)), {});
      step.model = std::move(settings.model);
      step.answer = std::move(settings.answer);
    }
    return step;
  }

  void read_inputs() {
    const JsonNode* one = body_.find("input");
    const JsonNode* many = body_.find("inputs");
    if ((one == nullptr) == (many == nullptr)) {
      throw Error(ErrorCode::usage, "either input or inputs must be given");
    }
    if (one != nullptr) {
      read_input(*one);
      return;
    }
    if (many->items().empty() || many->items().size() > k_most_inputs) {
      throw Error(ErrorCode::usage,
                  fmt::format("inputs must be an array of 1 to {}", k_most_inputs));
    }
    for (const JsonNode& input : many->items()) {
      read_input(input);
    }
  }

  void read_input(const JsonNode& node) {
    const RequestMembers input(node, {"file_id", "path", "rows"});
    if (node.members().size() != 1) {
      throw Error(ErrorCode::usage, "an input is one of file_id, path or rows");
    }
    if (const auto id = input.text("file_id")) {
      const StoredFile file = context_.store.read(
          [&id](sql::Database& database) { return require_listed_file(database, *id); });
      if (!file.encoding.empty() && record_.settings.input.encoding.empty()) {
        record_.settings.input.encoding = file.encoding;
      }
      request_.submission.file_ids.push_back(file.id);
      take_stored(file, {});
    } else if (const auto path = input.text("path", k_longest_path)) {
      take_path(*path);
    } else {
      take_rows(input.require("rows"));
    }
  }

  void take_path(const std::string& path) {
    if (!path.starts_with('/')) {
      throw Error(ErrorCode::usage,
                  fmt::format("the input {} is no absolute path", printable(path)));
    }
    if (is_trial_) {
      return;
    }
    files::PinnedContent content = context_.content.take(
        path, context_.max_upload_bytes.value_or(files::ContentStore::k_no_limit));
    StoredFile file;
    file.name = files::safe_file_name(path);
    file.media_type = "application/octet-stream";
    add(std::move(file), std::move(content), fs::path(path).parent_path().string());
  }

  void take_rows(const JsonNode& rows) {
    if (rows.items().empty()) {
      throw Error(ErrorCode::usage, "rows must be an array of objects");
    }
    std::string lines;
    for (const JsonNode& row : rows.items()) {
      if (row.kind() != JsonNode::Kind::object) {
        throw Error(ErrorCode::usage, "each of rows must be an object");
      }
      row.append_to(lines);
      lines += '\n';
    }
    if (is_trial_) {
      return;
    }
    StoredFile file;
    file.name = "rows.jsonl";
    file.media_type = "application/jsonl";
    file.format = "jsonl";
    file.rows = static_cast<std::int64_t>(rows.items().size());
    add(std::move(file), context_.content.keep(lines), {});
  }

  void add(StoredFile file, files::PinnedContent content, std::string base_folder) {
    file.id = make_file_id();
    file.sha256 = content.sha256();
    file.bytes = static_cast<std::int64_t>(content.bytes());
    file.is_listed = false;
    file.created_ms = context_.store.clock().wall_ms();
    request_.submission.file_ids.push_back(file.id);
    request_.new_inputs.add(file, std::move(content));
    take_stored(file, std::move(base_folder));
  }

  // Under the name that its owner knows it by.
  void take_stored(const StoredFile& file, std::string base_folder) {
    InputFingerprint& input = record_.inputs.emplace_back();
    input.path = stored_file_path(context_.state_dir, file).string();
    input.bytes = static_cast<std::uint64_t>(file.bytes);
    input.is_stored = true;
    input.base_folder = std::move(base_folder);
    contents_[input.path] = file.sha256;
  }

  void read_handling() {
    QueuedJob& job = request_.submission.job;
    job.kind = frame_.kind;
    job.policy = frame_.policy;
    job.name = body_.text("name", k_longest_name).value_or("");
    job.project = body_.text("project").value_or("default");
    check_project_name(job.project);
    job.tags = body_.tags("tags").value_or("{}");
    job.policy.wants_approval = body_.flag("approval").value_or(false);
    job.policy.asks_at_limit = body_.choice("on_limit", {"stop", "ask"}).value_or(0) == 1;
    request_.submission.priority = body_.integer("priority", -100, 100).value_or(0);
    request_.submission.not_before_ms = body_.time("not_before");
    if (const JsonNode* after = body_.find("after")) {
      read_dependencies(*after);
    }
  }

  void read_dependencies(const JsonNode& after) {
    if (after.kind() != JsonNode::Kind::array || after.items().size() > k_most_dependencies) {
      throw Error(ErrorCode::usage,
                  fmt::format("after must be an array of at most {}", k_most_dependencies));
    }
    for (const JsonNode& node : after.items()) {
      JobDependency dependency;
      if (const auto id = node.string()) {
        dependency.after_id = *id;
      } else {
        const RequestMembers members(node, {"job", "when"});
        dependency.after_id = members.require_text("job");
        dependency.condition = static_cast<DependencyCondition>(
            members.choice("when", {"ok", "any", "failed"}).value_or(0));
      }
      request_.submission.after.push_back(std::move(dependency));
    }
  }

  // What can be said of a job whose inputs may come later.
  void check_trial() {
    const JobModel model = make_model(record_.settings, context_.surroundings, false);
    static_cast<void>(model.provider->endpoint());
    ChatTemplateText text;
    for (const auto& message : record_.messages) {
      text.messages.push_back({message.role, message.text, TemplateOrigin{message.origin}});
    }
    TemplateNames names;
    names.open_ended = true;
    names.variables = record_.settings.prompt.variables;
    try {
      ChatTemplate::compile(text, names);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::column_missing) {
        throw;
      }
    }
    context_.store.read([this](sql::Database& database) {
      for (const JobDependency& dependency : request_.submission.after) {
        require_job(database, dependency.after_id);
      }
      return true;
    });
  }

  // Columns, template and model as a run finds them: what is wrong is said now, not at night.
  void check() {
    std::string& record = request_.submission.job.record;
    record = job_record_json(record_);
    if (is_trial_) {
      check_trial();
      return;
    }
    if (auto endpoint = context_.checked_jobs.endpoint_of(record)) {
      endpoint_ = *std::move(endpoint);
      return;
    }
    check_output_is_free(record_);
    const auto source = open_stored_inputs();
    const JobModel model = make_model(record_.settings, context_.surroundings, false);
    make_encoder(record_, *source, model);
    JobSteps::open(record_, *source, model, context_.surroundings, false);
    endpoint_ = model.endpoint;
    context_.checked_jobs.remember(record, endpoint_);
  }

  std::unique_ptr<InputSource> open_stored_inputs() const {
    std::vector<std::string> paths;
    for (const InputFingerprint& input : record_.inputs) {
      paths.push_back(input.path);
    }
    return open_inputs(paths,
                       record_.settings.input,
                       [this](const std::string& path, const std::string& encoding) {
                         const fs::path content = context_.content.path_of(contents_.at(path));
                         return open_byte_stream(open_raw_file(content.string(), printable(path)),
                                                 encoding);
                       });
  }

  void finish() {
    QueuedJob& job = request_.submission.job;
    job.model = record_.settings.model.model;
    job.lane = lane_of(endpoint_, record_.settings);
    job.concurrency = record_.settings.limits.concurrency;
    job.max_cost_micro_usd = record_.settings.limits.max_cost_micro_usd;
    job.output_path = record_.output_path;
  }

  static constexpr std::size_t k_longest_path = 4096;

  ApiContext& context_;
  const JobRequestFrame& frame_;
  const bool is_trial_;
  RequestMembers body_;
  JobRecord record_;
  JobRequest request_{{}, NewInputs(context_)};
  std::map<std::string, std::string> contents_;  // of the stored inputs: path and SHA-256
  std::string endpoint_;                         // of the model
};

void make_project(sql::Database& database, const std::string& name, std::int64_t now_ms) {
  database.run("INSERT OR IGNORE INTO projects VALUES (?, NULL, ?)", name, now_ms);
}

}  // namespace

JobRequest read_job_request(ApiContext& context,
                            const JsonNode& body,
                            const JobRequestFrame& frame) {
  context.disk.require_room();
  return RequestReader(context, body, frame, Purpose::submission).read();
}

void check_job_request(ApiContext& context, const JsonNode& body) {
  const JobRequestFrame frame;
  static_cast<void>(RequestReader(context, body, frame, Purpose::trial).read());
}

void describe_job(const JobSurroundings& surroundings, QueuedJob& job, const JobRecord& record) {
  const JobModel model = make_model(record.settings, surroundings, false);
  static_cast<void>(model.provider->endpoint());
  job.model = record.settings.model.model;
  job.lane = lane_of(model.endpoint, record.settings);
  job.concurrency = record.settings.limits.concurrency;
  job.max_cost_micro_usd = record.settings.limits.max_cost_micro_usd;
  job.output_path = record.output_path;
  job.record = job_record_json(record);
}

QueuedJob submit_request(JobTable& jobs, const JobRequest& request, std::string_view actor) {
  const std::string& project = request.submission.job.project;
  if (project != "default") {
    make_project(jobs.database(), project, jobs.now_ms());
  }
  for (const StoredFile& file : request.new_inputs.files()) {
    insert_file(jobs.database(), file);
  }
  Submission submission = request.submission;
  if (actor == fmt::format("user:{}", geteuid())) {
    submission.job.policy.trusts_environment = true;
  }
  return submit_job(jobs, std::move(submission), actor);
}

}  // namespace batchllm::daemon
