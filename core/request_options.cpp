// SPDX-License-Identifier: Apache-2.0
#include "core/request_options.h"

#include "core/error.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

namespace batchllm {
namespace {

constexpr std::size_t k_shown_name = 60;

struct RefusedOption {
  std::string_view key;
  std::string_view why;
  std::string_view hint;
};

constexpr std::array k_refused = {
    RefusedOption{"run.prompt_file", "prompts are not read from files here", "send it as prompt"},
    RefusedOption{"run.system_file", "prompts are not read from files here", "send it as system"},
    RefusedOption{"run.template", "templates are not read from files here", "send its messages"},
    RefusedOption{"run.key_file",
                  "keys are not read from files here",
                  "give the key to the daemon, which keeps it encrypted"},
};

[[noreturn]] void refuse(const std::string& name, std::string_view why, const std::string& hint) {
  throw Error(
      ErrorCode::usage, fmt::format("option {}: {}", one_line(name, k_shown_name), why), hint)
      .with_detail("option", one_line(name, k_shown_name));
}

const RefusedOption* find_refused(std::string_view key) {
  const auto* const found = std::find_if(k_refused.begin(),
                                         k_refused.end(),
                                         [key](const auto& refused) { return refused.key == key; });
  return found == k_refused.end() ? nullptr : found;
}

[[noreturn]] void refuse_unknown(const std::string& name) {
  std::vector<std::string> known;
  for (const OptionKey& option : option_table()) {
    if (is_request_option(option)) {
      known.emplace_back(name_of(option));
    }
  }
  const auto near = nearest_name(name, known);
  refuse(name,
         "there is no such option",
         near ? fmt::format("did you mean {}?", *near)
              : "options are the long flags of batchllm run, with _ for -");
}

const OptionKey& option_named(const std::string& name) {
  const OptionKey* option = find_option("run." + name);
  if (option == nullptr) {
    refuse_unknown(name);
  }
  if (const RefusedOption* refused = find_refused(option->key); refused != nullptr) {
    refuse(name, refused->why, std::string(refused->hint));
  }
  if (!is_request_option(*option)) {
    refuse(name, "is for the command line only", "leave it out");
  }
  return *option;
}

void check_path(const std::string& name, const std::string& path) {
  if (path == "-") {
    refuse(name, "there is no standard output to write to", "leave it out, or name a file");
  }
  if (!path.starts_with('/')) {
    refuse(name,
           fmt::format("{} is not an absolute path", one_line(path, k_shown_name)),
           "the daemon runs in another folder than you");
  }
}

std::string_view kind_text(JsonNode::Kind kind) {
  switch (kind) {
    case JsonNode::Kind::array:
      return "an array";
    case JsonNode::Kind::object:
      return "an object";
    case JsonNode::Kind::boolean:
      return "true or false";
    case JsonNode::Kind::number:
      return "a number";
    case JsonNode::Kind::string:
      return "a string";
    case JsonNode::Kind::null:
      break;
  }
  return "null";
}

[[noreturn]] void refuse_kind(const std::string& name,
                              std::string_view expected,
                              const JsonNode& found) {
  refuse(name, fmt::format("expected {}, found {}", expected, kind_text(found.kind())), "");
}

std::string scalar_text(const std::string& name, const JsonNode& value, std::string_view expected) {
  if (const auto text = value.string()) {
    return std::string(*text);
  }
  if (value.kind() != JsonNode::Kind::number && value.kind() != JsonNode::Kind::boolean) {
    refuse_kind(name, expected, value);
  }
  return value.to_json();
}

std::vector<std::string> list_texts(const std::string& name, const JsonNode& value) {
  constexpr std::string_view k_expected = "an array of strings";
  if (const auto text = value.string()) {
    return split_list(*text);
  }
  if (value.kind() != JsonNode::Kind::array) {
    refuse_kind(name, k_expected, value);
  }
  std::vector<std::string> texts;
  for (const JsonNode& item : value.items()) {
    const auto text = item.string();
    if (!text) {
      refuse_kind(name, k_expected, item);
    }
    texts.emplace_back(*text);
  }
  return texts;
}

// "NAME=VALUE"; with `as_json` a string keeps its quotes, so that "5" stays a string.
std::vector<std::string> pair_texts(const std::string& name, const JsonNode& value, bool as_json) {
  if (value.kind() != JsonNode::Kind::object) {
    refuse_kind(name, "an object", value);
  }
  std::vector<std::string> texts;
  for (const JsonMember& member : value.members()) {
    if (member.key.empty() || member.key.find('=') != std::string::npos) {
      refuse(name, fmt::format("{} cannot be a name", json_string(one_line(member.key, 60))), "");
    }
    texts.push_back(fmt::format(
        "{}={}",
        member.key,
        as_json ? member.value.to_json() : scalar_text(name, member.value, "strings or numbers")));
  }
  return texts;
}

std::vector<std::string> option_texts(const OptionKey& option,
                                      const std::string& name,
                                      const JsonNode& value) {
  switch (option.kind) {
    case ValueKind::texts:
      return value.kind() == JsonNode::Kind::array
                 ? list_texts(name, value)
                 : std::vector<std::string>{scalar_text(name, value, "a string or strings")};
    case ValueKind::list:
    case ValueKind::choices:
      return list_texts(name, value);
    case ValueKind::pairs:
    case ValueKind::json_pairs:
      return pair_texts(name, value, option.kind == ValueKind::json_pairs);
    default:
      return {scalar_text(name, value, "a string, a number, true or false")};
  }
}

// Members of an object must not come twice: of values with one name the last counts, as it does
// in a request's parameters.
void write_pairs(JsonWriter& json, const std::vector<std::string>& texts, bool as_json) {
  std::map<std::string, std::string> members;
  for (const std::string& text : texts) {
    const auto equals = text.find('=');
    members[text.substr(0, equals)] = text.substr(equals + 1);
  }
  json.begin_object();
  for (const auto& [name, value] : members) {
    json.key(name);
    if (as_json && is_json(value)) {
      json.raw(value);
    } else {
      json.string(value);
    }
  }
  json.end_object();
}

void write_value(JsonWriter& json, const OptionKey& option, const SettingValue& value) {
  const bool is_pairs = option.kind == ValueKind::pairs || option.kind == ValueKind::json_pairs;
  if (is_pairs) {
    write_pairs(json, value.texts, option.kind == ValueKind::json_pairs);
  } else if (is_repeatable(option)) {
    json.begin_array();
    for (const std::string& text : value.texts) {
      json.string(text);
    }
    json.end_array();
  } else if (option.kind == ValueKind::flag) {
    json.boolean(parse_boolean(value.texts.front()).value_or(false));
  } else if (option.kind == ValueKind::count && parse_integer(value.texts.front())) {
    json.number(*parse_integer(value.texts.front()));
  } else if (option.kind == ValueKind::path) {
    json.string(std::filesystem::absolute(value.texts.front()).lexically_normal().string());
  } else {
    json.string(value.texts.front());
  }
}

bool is_sent(const OptionKey& option) {
  return is_request_option(option) && option.key != "run.prompt" && option.key != "run.system" &&
         option.key != "run.output";
}

constexpr std::array<std::string_view, 10> k_of_a_step = {"run.model",
                                                          "run.temperature",
                                                          "run.max_tokens",
                                                          "run.effort",
                                                          "run.param",
                                                          "run.schema",
                                                          "run.fields",
                                                          "run.choices",
                                                          "run.extract",
                                                          "run.strip"};

}  // namespace

bool is_request_option(const OptionKey& option) {
  return section_of(option) == "run" && option.set_by != SetBy::flag &&
         find_refused(option.key) == nullptr;
}

std::string step_options_to_json(const ModelSettings& model, const AnswerSettings& answer) {
  SettingLayer layer;
  const auto set = [&layer](std::string_view key, const std::string& text) {
    if (!text.empty()) {
      layer[std::string(key)].texts = {text};
    }
  };
  set("run.model", model.model);
  set("run.effort", model.effort);
  set("run.schema", answer.schema);
  set("run.fields", answer.fields);
  set("run.choices", answer.choices);
  set("run.extract", answer.extract);
  set("run.strip", answer.strip ? "true" : "");
  set("run.temperature", model.temperature ? fmt::format("{}", *model.temperature) : "");
  set("run.max_tokens", model.max_tokens ? fmt::format("{}", *model.max_tokens) : "");
  for (const auto& [name, value] : model.parameters) {
    layer["run.param"].texts.push_back(fmt::format("{}={}", name, value));
  }
  return options_to_json(layer);
}

std::string options_to_json(const SettingLayer& settings) {
  JsonWriter json;
  json.begin_object();
  for (const auto& [key, value] : settings) {
    const OptionKey* option = find_option(key);
    if (option != nullptr && is_sent(*option) && !value.texts.empty()) {
      json.key(name_of(*option));
      write_value(json, *option, value);
    }
  }
  return json.end_object().text();
}

Settings settings_from_options(const std::vector<OptionTexts>& options) {
  SettingLayer layer;
  for (const auto& [name, texts] : options) {
    const OptionKey& option = option_named(name);
    SettingValue value{texts, Layer::command_line, name};
    if (texts.size() != 1 && !is_repeatable(option)) {
      refuse(name, fmt::format("takes one value, not {}", texts.size()), "");
    }
    check_setting(option, value);
    if (option.kind == ValueKind::path) {
      check_path(name, texts.front());
    }
    if (!layer.emplace(option.key, std::move(value)).second) {
      refuse(name, "is given twice", "");
    }
  }
  Settings settings({layer});
  check_exclusive(settings, Command::run);
  return settings;
}

Settings settings_from_step_options(const std::vector<OptionTexts>& options) {
  for (const auto& [name, texts] : options) {
    const OptionKey& option = option_named(name);
    if (std::find(k_of_a_step.begin(), k_of_a_step.end(), option.key) == k_of_a_step.end()) {
      refuse(name, "is for all steps of a job", "say it in the job's own options");
    }
  }
  return settings_from_options(options);
}

std::vector<OptionTexts> options_from_json(const JsonNode& object) {
  if (object.kind() != JsonNode::Kind::object) {
    throw Error(ErrorCode::usage, "options: expected a JSON object");
  }
  std::vector<OptionTexts> options;
  for (const auto& [name, value] : object.members()) {
    const OptionKey& option = option_named(name);
    if (!value.is_null()) {
      options.emplace_back(name, option_texts(option, name, value));
    }
  }
  return options;
}

}  // namespace batchllm
