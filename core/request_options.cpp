// SPDX-License-Identifier: Apache-2.0
#include "core/request_options.h"

#include "core/error.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

namespace batchllm {
namespace {

using simdjson::ondemand::json_type;

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

bool may_be_asked(const OptionKey& option) {
  return section_of(option) == "run" && option.set_by != SetBy::flag &&
         find_refused(option.key) == nullptr;
}

[[noreturn]] void refuse_unknown(const std::string& name) {
  std::vector<std::string> known;
  for (const OptionKey& option : option_table()) {
    if (may_be_asked(option)) {
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
  if (!may_be_asked(*option)) {
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

std::string_view type_text(json_type type) {
  switch (type) {
    case json_type::array:
      return "an array";
    case json_type::object:
      return "an object";
    case json_type::boolean:
      return "true or false";
    case json_type::number:
      return "a number";
    case json_type::string:
      return "a string";
    default:
      return "null";
  }
}

// Turns the members of one object into texts. The document was found valid before: what simdjson
// could still throw is a defect.
class OptionReader {
 public:
  OptionTexts read(std::string name, simdjson::ondemand::value value) const {
    const OptionKey& option = option_named(name);
    std::vector<std::string> texts;
    switch (option.kind) {
      case ValueKind::list:
      case ValueKind::choices:
        texts = list_texts(name, value);
        break;
      case ValueKind::pairs:
      case ValueKind::json_pairs:
        texts = pair_texts(name, value, option.kind == ValueKind::json_pairs);
        break;
      default:
        texts.push_back(scalar_text(name, value, "a string, a number, true or false"));
    }
    return {std::move(name), std::move(texts)};
  }

 private:
  [[noreturn]] static void wrong_type(const std::string& name,
                                      std::string_view expected,
                                      json_type found) {
    refuse(name, fmt::format("expected {}, found {}", expected, type_text(found)), "");
  }

  static std::string scalar_text(const std::string& name,
                                 simdjson::ondemand::value value,
                                 std::string_view expected) {
    const json_type type = value.type();
    switch (type) {
      case json_type::string:
        return std::string(std::string_view(value.get_string()));
      case json_type::number:
      case json_type::boolean:
        return std::string(trim(value.raw_json_token()));
      default:
        wrong_type(name, expected, type);
    }
  }

  static std::vector<std::string> list_texts(const std::string& name,
                                             simdjson::ondemand::value value) {
    constexpr std::string_view k_expected = "an array of strings";
    if (value.type() == json_type::string) {
      return split_list(scalar_text(name, value, k_expected));
    }
    if (value.type() != json_type::array) {
      wrong_type(name, k_expected, value.type());
    }
    std::vector<std::string> texts;
    for (simdjson::ondemand::value item : value.get_array()) {
      if (item.type() != json_type::string) {
        wrong_type(name, k_expected, item.type());
      }
      texts.push_back(scalar_text(name, item, k_expected));
    }
    return texts;
  }

  // "NAME=VALUE"; with `as_json` a string keeps its quotes, so that "5" stays a string.
  static std::vector<std::string> pair_texts(const std::string& name,
                                             simdjson::ondemand::value value,
                                             bool as_json) {
    if (value.type() != json_type::object) {
      wrong_type(name, "an object", value.type());
    }
    std::vector<std::string> texts;
    for (auto member : value.get_object()) {
      const std::string key(std::string_view(member.unescaped_key()));
      if (key.empty() || key.find('=') != std::string::npos) {
        refuse(name, fmt::format("{} cannot be a name", json_string(one_line(key, 60))), "");
      }
      simdjson::ondemand::value item = member.value();
      texts.push_back(fmt::format(
          "{}={}", key, as_json ? json_text(item) : scalar_text(name, item, "strings or numbers")));
    }
    return texts;
  }

  static std::string json_text(simdjson::ondemand::value value) {
    switch (json_type(value.type())) {
      case json_type::string:
        return json_string(std::string_view(value.get_string()));
      case json_type::array: {
        simdjson::ondemand::array array = value.get_array();
        return std::string(std::string_view(array.raw_json()));
      }
      case json_type::object: {
        simdjson::ondemand::object object = value.get_object();
        return std::string(std::string_view(object.raw_json()));
      }
      default:
        return std::string(trim(value.raw_json_token()));
    }
  }
};

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
  return may_be_asked(option) && option.key != "run.prompt" && option.key != "run.system" &&
         option.key != "run.output";
}

}  // namespace

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

std::vector<OptionTexts> options_from_json(std::string_view object) {
  const simdjson::padded_string json(object);
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  if (!is_json(object) || parser.iterate(json).get(document) != simdjson::SUCCESS ||
      json_type(document.type()) != json_type::object) {
    throw Error(ErrorCode::usage, "options: expected a JSON object");
  }
  std::vector<OptionTexts> options;
  for (auto member : document.get_object()) {
    std::string name(std::string_view(member.unescaped_key()));
    simdjson::ondemand::value value = member.value();
    if (json_type(value.type()) != json_type::null) {
      options.push_back(OptionReader().read(std::move(name), value));
    } else {
      option_named(name);
    }
  }
  return options;
}

}  // namespace batchllm
