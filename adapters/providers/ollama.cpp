// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/ollama.h"

#include "adapters/providers/chat_provider.h"
#include "core/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace batchllm {
namespace {

namespace ondemand = wire::ondemand;

constexpr std::int64_t k_usual_window = 8192;
constexpr std::int64_t k_room_for_prompt = 4096;

// Parameters that stand beside the options.
constexpr std::array<std::string_view, 9> k_outside = {"think",
                                                       "keep_alive",
                                                       "format",
                                                       "truncate",
                                                       "shift",
                                                       "tools",
                                                       "logprobs",
                                                       "top_logprobs",
                                                       "stream"};

bool is_outside(std::string_view name) {
  return std::find(k_outside.begin(), k_outside.end(), name) != k_outside.end();
}

ModelRequest with_url(ModelRequest request) {
  request.base_url = ollama_base_url(request.base_url);
  return request;
}

class OllamaProvider final : public ChatProvider {
 public:
  explicit OllamaProvider(ModelRequest request);

 private:
  // "load" and "unload" come with an empty answer.
  static constexpr std::array<FinishWord, 1> k_finish = {{{"length", RowFailure::truncated}}};

  void write_messages(const Prompt& prompt, std::string& body) const override {
    write_turns(prompt, Instructions::among_turns, body);
  }

  void write_turn(std::string_view role,
                  std::string_view text,
                  Attachments attachments,
                  std::string& body) const override;
  bool read_member(std::string_view key, ondemand::value value, Reply& reply) override;

  RowFailure meaning_of(std::string_view finish) const override {
    return find_finish(k_finish, finish);
  }

  void add_ours(std::string_view name, std::string_view json);
  void add_format();
  std::string options() const;
  std::int64_t window() const;
};

OllamaProvider::OllamaProvider(ModelRequest given) : ChatProvider(with_url(std::move(given))) {
  const ModelRequest& model = request();
  send_to("/api/chat");
  add_key("Authorization");
  head_ = R"({"model":)" + json_string(model.model) + R"(,"messages":[)";
  tail_ = R"(],"stream":false)";
  add_ours("truncate", "false");
  add_ours("shift", "false");
  add_ours("keep_alive", R"("30m")");
  add_format();
  if (!model.effort.empty() && !model.traits.effort.empty() && parameter("think") == nullptr) {
    append_nested(
        tail_, model.traits.effort, model.effort == "none" ? "false" : json_string(model.effort));
  }
  append_member(tail_, "options", "{" + options() + "}");
  if (!model.traits.extra.empty()) {
    tail_ += "," + model.traits.extra;
  }
  add_parameters(tail_, [](std::string_view name) { return is_outside(name) && name != "stream"; });
  tail_ += '}';
}

// What a request has unless --param says otherwise.
void OllamaProvider::add_ours(std::string_view name, std::string_view json) {
  if (parameter(name) == nullptr) {
    append_member(tail_, name, json);
  }
}

void OllamaProvider::add_format() {
  const ModelRequest& model = request();
  if (!model.schema || model.traits.schema_mode == SchemaMode::instructions) {
    return;
  }
  add_ours("format",
           model.traits.schema_mode == SchemaMode::json_object ? R"("json")" : model.schema->json);
}

std::string OllamaProvider::options() const {
  const ModelRequest& model = request();
  std::string options;
  if (parameter("num_ctx") == nullptr) {
    append_member(options, "num_ctx", std::to_string(window()));
  }
  if (model.max_tokens) {
    append_member(options, "num_predict", std::to_string(*model.max_tokens));
  }
  if (model.temperature && model.traits.takes_temperature) {
    append_member(options, "temperature", fmt::format("{}", *model.temperature));
  }
  add_parameters(options, [](std::string_view name) { return !is_outside(name); });
  return options;
}

std::int64_t OllamaProvider::window() const {
  constexpr std::int64_t k_longest_answer = std::int64_t{1} << 40;  // larger is a mistake
  const std::int64_t answer = std::min(request().max_tokens.value_or(0), k_longest_answer);
  return request().traits.context_tokens.value_or(
      std::max(k_usual_window, answer + k_room_for_prompt));
}

void OllamaProvider::write_turn(std::string_view role,
                                std::string_view text,
                                Attachments attachments,
                                std::string& body) const {
  ChatProvider::write_turn(role, text, {}, body);
  if (attachments.empty()) {
    return;
  }
  body.pop_back();
  // Bytes only: an address is for the server to refuse, with a message that says so.
  body += R"(,"images":[)";
  bool is_first = true;
  for (const Attachment& attachment : attachments) {
    const auto data = split_data_url(attachment.url);
    body += is_first ? "\"" : ",\"";
    is_first = false;
    append_json_escaped(body, data ? data->base64 : attachment.url);
    body += '"';
  }
  body += "]}";
}

bool OllamaProvider::read_member(std::string_view key, ondemand::value value, Reply& reply) {
  if (key == "message") {
    (void)wire::for_each_member(value, [&reply](std::string_view name, ondemand::value member) {
      if (name == "content") {
        reply.text = wire::string_or_empty(member);
        reply.has_answer = true;
      }
    });
  } else if (key == "done_reason") {
    reply.finish = wire::string_or_empty(value);
  } else if (key == "prompt_eval_count") {
    reply.usage.input_tokens = wire::count_of(value);
  } else if (key == "eval_count") {
    reply.usage.output_tokens = wire::count_of(value);
  } else if (key == "error") {
    wire::read_error(value, reply.error);
  }
  return true;
}

constexpr std::string_view k_compatible = "/v1";  // where its OpenAI-compatible API is

// A socket without a path stands for "/v1" elsewhere.
std::string socket_url(std::string_view address) {
  const bool is_plain = address.starts_with("unix:");
  const std::string_view path_begin = is_plain ? ":/" : "/";
  const std::size_t behind_scheme = is_plain ? 5 : std::string_view("http+unix://").size();
  std::string url(address);
  if (address.find(path_begin, behind_scheme) == std::string_view::npos) {
    url += path_begin;
  } else if (address.ends_with(k_compatible)) {
    url.resize(url.size() - k_compatible.size() + 1);
  }
  return url;
}

std::string tcp_url(std::string_view address) {
  const auto scheme_end = address.find("://");
  const bool has_scheme = scheme_end != std::string_view::npos;
  const std::string_view rest = has_scheme ? address.substr(scheme_end + 3) : address;
  const auto slash = std::min(rest.find('/'), rest.size());
  std::string host(rest.substr(0, slash));
  std::string_view path = rest.substr(slash);
  const auto bracket = host.find(']');  // of an IPv6 address
  const auto colon =
      std::min(host.find(':', bracket == std::string::npos ? 0 : bracket), host.size());
  const std::string port = host.substr(colon);
  host.resize(colon);
  if (host == "0.0.0.0" || (host.empty() && !has_scheme)) {
    host = "127.0.0.1";
  } else if (host == "[::]") {
    host = "[::1]";
  }
  while (path.ends_with('/')) {
    path.remove_suffix(1);
  }
  if (path.ends_with(k_compatible)) {
    path.remove_suffix(k_compatible.size());
  }
  return fmt::format("{}://{}{}{}",
                     has_scheme ? address.substr(0, scheme_end) : "http",
                     host,
                     port.empty() && !has_scheme ? ":11434" : port,
                     path);
}

}  // namespace

std::string ollama_base_url(std::string_view address) {
  const bool is_socket = address.starts_with("unix:") || address.starts_with("http+unix:");
  return is_socket ? socket_url(address) : tcp_url(address);
}

std::unique_ptr<Provider> make_ollama_provider(ModelRequest request) {
  return std::make_unique<OllamaProvider>(std::move(request));
}

}  // namespace batchllm
