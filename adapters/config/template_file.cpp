// SPDX-License-Identifier: Apache-2.0
#include "adapters/config/template_file.h"

#include "core/error.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace batchllm {
namespace {

constexpr std::size_t k_max_file_bytes = std::size_t{16} << 20;
constexpr int k_deepest_parameter = 32;

using Messages = std::vector<ChatTemplateText::Message>;
using Parameters = std::vector<std::pair<std::string, std::string>>;

// Turns one parsed file into a ChatTemplateText; knows the file's name and bytes for messages.
class TemplateFileReader {
 public:
  TemplateFileReader(std::string_view toml, const std::string& name) : toml_(toml), name_(name) {}

  ChatTemplateText read() {
    const toml::table root = parse();
    check_keys(
        root, {"description", "messages", "model", "parameters", "prompt", "steps", "system"}, "");
    result_.description = read_text(root, "description").value_or("");
    result_.model = read_text(root, "model").value_or("");
    if (root.contains("steps")) {
      read_steps(root);
    } else {
      result_.messages = read_messages(root, name_);
    }
    result_.parameters = read_parameters(root);
    return std::move(result_);
  }

 private:
  toml::table parse() const {
    try {
      return toml::parse(toml_, name_);
    } catch (const toml::parse_error& error) {
      throw Error(
          ErrorCode::template_invalid,
          fmt::format(
              "{}: not TOML: {}", place(error.source().begin), one_line(error.description(), 200)),
          "a template file has system = \"…\" and prompt = \"…\"");
    }
  }

  std::string place(const toml::source_position& position) const {
    return fmt::format("{}:{}:{}", name_, position.line, position.column);
  }

  [[noreturn]] void refuse(const toml::source_position& at,
                           std::string_view what,
                           std::string hint) const {
    throw Error(
        ErrorCode::template_invalid, fmt::format("{}: {}", place(at), what), std::move(hint));
  }

  // `path` is what stands before the key in messages ("messages.").
  void check_keys(const toml::table& table,
                  const std::vector<std::string>& known,
                  std::string_view path) const {
    for (const auto& [key, node] : table) {
      const std::string_view name = key.str();
      if (std::find(known.begin(), known.end(), name) != known.end()) {
        continue;
      }
      if (path.empty() && (name == "schema" || name == "fields")) {
        refuse(key.source().begin,
               fmt::format("{} stands in a step: [[steps]]", name),
               fmt::format("or give it on the command line: --{}", name));
      }
      const auto near = nearest_name(name, known);
      refuse(key.source().begin,
             fmt::format("{}{} is not a key of a template file", path, one_line(name, 60)),
             fmt::format("{}keys are: {}",
                         near ? fmt::format("did you mean {}? ", *near) : std::string(),
                         name_list(known)));
    }
  }

  std::string string_of(const toml::node& node, std::string_view key) const {
    const auto text = node.value_exact<std::string>();
    if (!text) {
      refuse(node.source().begin,
             fmt::format("{} is not a text", key),
             fmt::format("write {} = \"…\"", key));
    }
    return *text;
  }

  std::optional<std::string> read_text(const toml::table& table, std::string_view key) const {
    const toml::node* node = table.get(key);
    return node == nullptr ? std::nullopt : std::optional(string_of(*node, key));
  }

  // `where` is who lacks a prompt, in messages.
  Messages read_messages(const toml::table& root, const std::string& where) const {
    Messages messages;
    for (const auto& [key, role] : {std::pair("system", "system"), std::pair("prompt", "user")}) {
      if (auto text = read_text(root, key)) {
        messages.push_back(message_of(role, std::move(*text), *root.get(key)));
      }
    }
    const toml::node* list = root.get("messages");
    if (list == nullptr) {
      if (root.get("prompt") == nullptr) {
        throw Error(ErrorCode::template_invalid,
                    fmt::format("{}: neither prompt nor messages is given", where),
                    "write prompt = \"… {column} …\"");
      }
      return messages;
    }
    if (!messages.empty()) {
      refuse(list->source().begin,
             "messages cannot stand beside system or prompt",
             "make them messages with role = \"system\" and role = \"user\"");
    }
    const toml::array* tables = list->as_array();
    if (tables == nullptr || tables->empty()) {
      refuse(list->source().begin, "messages is not a list of tables", "write [[messages]]");
    }
    for (const toml::node& node : *tables) {
      messages.push_back(read_message(node));
    }
    return messages;
  }

  ChatTemplateText::Message read_message(const toml::node& node) const {
    const toml::table* message = node.as_table();
    if (message == nullptr) {
      refuse(node.source().begin, "messages is not a list of tables", "write [[messages]]");
    }
    check_keys(*message, {"content", "role"}, "messages.");
    auto role = read_text(*message, "role");
    auto content = read_text(*message, "content");
    if (!role || !content) {
      refuse(node.source().begin,
             fmt::format("this message has no {}", role ? "content" : "role"),
             "a message is role = \"user\" and content = \"…\"");
    }
    if (!is_chat_role(*role)) {
      refuse(message->get("role")->source().begin,
             fmt::format("\"{}\" is not a role", one_line(*role, 40)),
             "roles are: system, user and assistant");
    }
    return message_of(std::move(*role), std::move(*content), *message->get("content"));
  }

  ChatTemplateText::Message message_of(std::string role,
                                       std::string text,
                                       const toml::node& node) const {
    return {std::move(role), std::move(text), origin_of(node.source().begin)};
  }

  void read_steps(const toml::table& root) {
    const toml::array* steps = root.get("steps")->as_array();
    if (steps == nullptr || steps->empty() || !steps->front().is_table()) {
      refuse(root.get("steps")->source().begin, "steps is not a list of tables", "write [[steps]]");
    }
    for (const std::string_view key : {"messages", "prompt"}) {
      if (const toml::node* node = root.get(key)) {
        refuse(node->source().begin,
               fmt::format("{} cannot stand beside steps", key),
               "put it into the first [[steps]]");
      }
    }
    std::optional<ChatTemplateText::Message> system;
    if (auto text = read_text(root, "system")) {
      system = message_of("system", std::move(*text), *root.get("system"));
    }
    for (const toml::node& node : *steps) {
      if (!node.is_table()) {
        refuse(node.source().begin, "steps is not a list of tables", "write [[steps]]");
      }
      read_step(*node.as_table(), system);
    }
  }

  void read_step(const toml::table& table, const std::optional<ChatTemplateText::Message>& system) {
    check_keys(table,
               {"choices",
                "effort",
                "extract",
                "fields",
                "max_tokens",
                "messages",
                "model",
                "name",
                "parameters",
                "prompt",
                "schema",
                "strip",
                "system",
                "temperature",
                "when"},
               "steps.");
    ChatTemplateText::Step step;
    step.name = read_text(table, "name").value_or("");
    const std::string called =
        step.name.empty() ? std::to_string(result_.steps.size() + 1) : step.name;
    step.messages = read_messages(table, fmt::format("{}: step {}", name_, one_line(called, 60)));
    const bool has_system =
        std::any_of(step.messages.begin(), step.messages.end(), [](const auto& message) {
          return message.role == "system";
        });
    if (system && !has_system) {
      step.messages.insert(step.messages.begin(), *system);
    }
    if (const toml::node* when = table.get("when"); when != nullptr && result_.steps.empty()) {
      refuse(when->source().begin,
             "the first step has no when: every row is asked it",
             "--where says which rows are asked");
    }
    step.when = read_text(table, "when").value_or("");
    read_asking(table, step.model);
    read_form(table, step.answer);
    result_.steps.push_back(std::move(step));
  }

  void read_asking(const toml::table& table, ModelSettings& model) const {
    model.model = read_text(table, "model").value_or("");
    model.effort = read_text(table, "effort").value_or("");
    model.parameters = read_parameters(table);
    if (const toml::node* node = table.get("temperature")) {
      model.temperature = node->value<double>();
      if (!model.temperature || !(*model.temperature >= 0)) {
        refuse(node->source().begin, "temperature is not a number", "write temperature = 0.2");
      }
    }
    if (const toml::node* node = table.get("max_tokens")) {
      model.max_tokens = node->value_exact<std::int64_t>();
      if (!model.max_tokens || *model.max_tokens < 1) {
        refuse(node->source().begin, "max_tokens is not a count", "write max_tokens = 100");
      }
    }
  }

  void read_form(const toml::table& table, AnswerSettings& answer) const {
    answer.fields = read_text(table, "fields").value_or("");
    answer.extract = read_text(table, "extract").value_or("");
    answer.choices = read_text(table, "choices").value_or("");
    if (const toml::node* node = table.get("strip")) {
      const auto strip = node->value_exact<bool>();
      if (!strip) {
        refuse(node->source().begin, "strip is neither true nor false", "write strip = true");
      }
      answer.strip = *strip;
    }
    if (const toml::node* node = table.get("schema")) {
      answer.schema = schema_of(*node);
      if (!answer.fields.empty()) {
        refuse(node->source().begin, "schema and fields exclude each other", "keep one of them");
      }
    }
  }

  // A table, JSON, or the name of a file beside the template.
  std::string schema_of(const toml::node& node) const {
    if (node.is_table()) {
      JsonWriter json;
      write_json(node, json, 0);
      return json.text();
    }
    std::string text = string_of(node, "schema");
    if (trim(text).starts_with('{')) {
      return text;
    }
    return (std::filesystem::path(name_).parent_path() / text).string();
  }

  // Where the text of a string begins: behind its opening quotes, and a line later when a line
  // break follows three of them.
  TemplateOrigin origin_of(const toml::source_position& begin) const {
    TemplateOrigin origin{name_, begin.line, begin.column};
    std::string_view rest = toml_;
    for (std::size_t line = 1; line < begin.line; ++line) {
      rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1);
    }
    rest.remove_prefix(character_prefix(rest, begin.column - 1).size());
    if (!rest.starts_with("\"\"\"") && !rest.starts_with("'''")) {
      origin.column += 1;
      return origin;
    }
    rest.remove_prefix(3);
    if (rest.starts_with("\n") || rest.starts_with("\r\n")) {
      return {name_, begin.line + 1, 1};
    }
    origin.column += 3;
    return origin;
  }

  Parameters read_parameters(const toml::table& root) const {
    const toml::node* node = root.get("parameters");
    if (node == nullptr) {
      return {};
    }
    const toml::table* parameters = node->as_table();
    if (parameters == nullptr) {
      refuse(node->source().begin, "parameters is not a table", "write [parameters]");
    }
    // toml++ keeps a table sorted by name; people read the request in the order of the file.
    std::vector<std::pair<toml::source_position, std::pair<std::string, std::string>>> found;
    for (const auto& [key, value] : *parameters) {
      JsonWriter json;
      write_json(value, json, 0);
      found.push_back({key.source().begin, {std::string(key.str()), json.text()}});
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
      return std::pair(a.first.line, a.first.column) < std::pair(b.first.line, b.first.column);
    });
    Parameters result;
    for (auto& parameter : found) {
      result.push_back(std::move(parameter.second));
    }
    return result;
  }

  void write_json(const toml::node& node, JsonWriter& json, int depth) const {
    if (depth > k_deepest_parameter) {
      refuse(node.source().begin, "parameters are nested too deeply", "simplify them");
    }
    if (const auto* table = node.as_table()) {
      json.begin_object();
      for (const auto& [key, value] : *table) {
        json.key(key.str());
        write_json(value, json, depth + 1);
      }
      json.end_object();
    } else if (const auto* array = node.as_array()) {
      json.begin_array();
      for (const toml::node& value : *array) {
        write_json(value, json, depth + 1);
      }
      json.end_array();
    } else {
      write_scalar(node, json);
    }
  }

  void write_scalar(const toml::node& node, JsonWriter& json) const {
    if (const auto text = node.value_exact<std::string>()) {
      json.string(*text);
    } else if (const auto truth = node.value_exact<bool>()) {
      json.boolean(*truth);
    } else if (const auto whole = node.value_exact<std::int64_t>()) {
      json.number(*whole);
    } else if (const auto number = node.value_exact<double>(); number && std::isfinite(*number)) {
      // The shortest spelling that reads back the same, and still no whole number.
      const std::string spelled = fmt::format("{}", *number);
      json.raw(spelled.find_first_of(".e") == std::string::npos ? spelled + ".0" : spelled);
    } else {
      refuse(node.source().begin,
             "a parameter is a text, number, boolean, list or table",
             "put dates in quotes");
    }
  }

  std::string_view toml_;
  const std::string& name_;
  ChatTemplateText result_;
};

}  // namespace

ChatTemplateText read_template_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string toml;
  std::array<char, 65'536> block{};
  while (file && toml.size() <= k_max_file_bytes) {
    file.read(block.data(), block.size());
    toml.append(block.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (!file.is_open() || file.bad()) {
    throw Error(ErrorCode::usage,
                fmt::format("--template {}: {}", path, std::generic_category().message(errno)),
                "give the path of a TOML file");
  }
  if (toml.size() > k_max_file_bytes) {
    throw Error(ErrorCode::template_invalid,
                fmt::format("{}: larger than {}", path, bytes_text(k_max_file_bytes)),
                "a template file holds the prompt, not the data");
  }
  return parse_template_file(toml, path);
}

ChatTemplateText parse_template_file(std::string_view toml, const std::string& name) {
  if (!is_utf8(toml)) {
    throw Error(ErrorCode::template_invalid,
                fmt::format("{}: the template is not UTF-8 text", name),
                "save it as UTF-8");
  }
  return TemplateFileReader(toml, name).read();
}

}  // namespace batchllm
