// SPDX-License-Identifier: Apache-2.0
#include "cli/config_command.h"

#include "cli/settings_loader.h"
#include "cli/settings_reader.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/redaction.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace batchllm {
namespace {

constexpr std::string_view k_schema = "batchllm.config/1";

// Acts (--dry-run) are no settings.
bool is_setting(const OptionKey& option) {
  return option.set_by != SetBy::flag;
}

const OptionKey& option_named(const std::string& key) {
  const OptionKey* option = find_option(key);
  if (option != nullptr && is_setting(*option)) {
    return *option;
  }
  std::vector<std::string> known;
  for (const OptionKey& other : option_table()) {
    if (!is_setting(other)) {
      continue;
    }
    known.emplace_back(other.key);
    if (name_of(other) == key) {
      return other;  // "concurrency" for "run.concurrency": the first section that has it
    }
  }
  const auto near = nearest_name(key, known);
  throw Error(
      ErrorCode::usage,
      fmt::format("no such key: {}", one_line(key, 60)),
      near ? fmt::format("did you mean {}?", *near) : "batchllm config explain lists all keys");
}

bool is_list(const OptionKey& option) {
  return option.kind == ValueKind::list || option.kind == ValueKind::choices;
}

// As it would stand in a config file.
std::string toml_text(const OptionKey& option, const SettingValue& value) {
  std::vector<std::string> items;
  for (const std::string& written : value.texts) {
    const std::string text = redacted(written);
    const auto equals = text.find('=');
    if (option.kind == ValueKind::pairs || option.kind == ValueKind::json_pairs) {
      items.push_back(fmt::format(
          "{} = {}", json_string(text.substr(0, equals)), json_string(text.substr(equals + 1))));
    } else {
      items.push_back(json_string(text));
    }
  }
  if (is_list(option) || (option.kind == ValueKind::texts && items.size() > 1)) {
    return fmt::format("[{}]", fmt::join(items, ", "));
  }
  if (is_repeatable(option) && option.kind != ValueKind::texts) {
    return fmt::format("{{ {} }}", fmt::join(items, ", "));
  }
  const std::string text = redacted(value.texts.front());
  const bool is_bare = is_flag(option) || (parse_number(text) && option.kind != ValueKind::text &&
                                           option.kind != ValueKind::texts);
  return is_bare ? text : items.front();
}

std::string plain_text(const SettingValue& value) {
  return redacted(fmt::format("{}", fmt::join(value.texts, "\n")));
}

void write_setting(JsonWriter& json, const OptionKey& option, const SettingValue* value) {
  json.begin_object().key("key").string(option.key);
  json.key("value");
  const bool is_one_text =
      option.kind == ValueKind::texts && (value == nullptr || value->texts.size() == 1);
  if (is_repeatable(option) && !is_one_text) {
    json.begin_array();
    for (const auto& text : value == nullptr ? std::vector<std::string>() : value->texts) {
      json.string(redacted(text));
    }
    json.end_array();
  } else if (value != nullptr) {
    json.string(redacted(value->texts.front()));
  } else if (option.default_text.empty() || option.default_text == "none") {
    json.null();
  } else {
    json.string(option.default_text);
  }
  json.key("layer").string(layer_name(value == nullptr ? Layer::default_value : value->layer));
  json.key("place").string(value == nullptr ? std::string_view() : value->place).end_object();
}

std::string settings_json(const Settings& settings, const std::vector<const OptionKey*>& options) {
  JsonWriter json;
  json.begin_object().key("schema").string(k_schema).key("settings").begin_array();
  for (const OptionKey* option : options) {
    write_setting(json, *option, settings.find(option->key));
  }
  return json.end_array().end_object().text() + "\n";
}

std::vector<const OptionKey*> every_setting() {
  std::vector<const OptionKey*> options;
  for (const OptionKey& option : option_table()) {
    if (is_setting(option)) {
      options.push_back(&option);
    }
  }
  return options;
}

int show_value(const CommandLine& line, const Settings& settings, const Ui& ui) {
  const OptionKey& option = option_named(line.arguments.front());
  const SettingValue* value = settings.find(option.key);
  if (ui.json()) {
    ui.out(settings_json(settings, {&option}));
  } else {
    ui.out((value == nullptr ? std::string(option.default_text) : plain_text(*value)) + "\n");
  }
  return 0;
}

int list_values(const Settings& settings, const Ui& ui) {
  std::vector<const OptionKey*> options = every_setting();
  options.erase(std::remove_if(options.begin(),
                               options.end(),
                               [&](const auto* o) { return settings.find(o->key) == nullptr; }),
                options.end());
  if (ui.json()) {
    ui.out(settings_json(settings, options));
    return 0;
  }
  // Global keys first: in TOML they must stand before the first section.
  std::stable_partition(
      options.begin(), options.end(), [](const auto* o) { return section_of(*o).empty(); });
  std::string out;
  std::string_view section;
  for (const OptionKey* option : options) {
    if (section_of(*option) != section) {
      section = section_of(*option);
      out += fmt::format("{}[{}]\n", out.empty() ? "" : "\n", section);
    }
    out +=
        fmt::format("{} = {}\n", name_of(*option), toml_text(*option, *settings.find(option->key)));
  }
  ui.out(out);
  return 0;
}

int explain_values(const CommandLine& line, const Settings& settings, const Ui& ui) {
  auto options = every_setting();
  if (!line.arguments.empty()) {
    options = {&option_named(line.arguments.front())};
  }
  if (ui.json()) {
    ui.out(settings_json(settings, options));
    return 0;
  }
  std::string out;
  constexpr std::size_t k_shown_value = 40;
  for (const OptionKey* option : options) {
    const SettingValue* value = settings.find(option->key);
    const std::string shown =
        value == nullptr ? std::string(option->default_text.empty() ? "-" : option->default_text)
                         : one_line(toml_text(*option, *value), k_shown_value);
    out += fmt::format("{:<24}  {:<24}  {}\n",
                       option->key,
                       shown,
                       value == nullptr ? "default" : "from " + printable(value->place));
  }
  ui.out(out);
  return 0;
}

int list_files(const std::vector<ConfigFile>& files, const Ui& ui) {
  JsonWriter json;
  json.begin_object().key("schema").string(k_schema).key("files").begin_array();
  std::string out;
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    json.begin_object().key("path").string(file->path);
    json.key("layer").string(layer_name(file->layer));
    json.key("exists").boolean(file->exists).end_object();
    out += fmt::format("{:<8}  {}{}\n",
                       layer_name(file->layer),
                       printable(file->path),
                       file->exists ? "" : "  (not there)");
  }
  json.end_array().end_object();
  ui.out(ui.json() ? json.text() + "\n" : out);
  return 0;
}

// Every file is read by now; what is left are variables, and flags that exclude each other.
int validate(const Settings& settings, const std::vector<ConfigFile>& files, Ui& ui) {
  for (const auto& [key, value] : settings.all()) {
    check_setting(*find_option(key), value);
  }
  for (const CommandSpec& spec : command_table()) {
    check_settings(spec, settings);
  }
  const auto read =
      std::count_if(files.begin(), files.end(), [](const ConfigFile& file) { return file.exists; });
  if (ui.json()) {
    JsonWriter json;
    json.begin_object().key("schema").string(k_schema).key("valid").boolean(true);
    json.key("files_read").number(static_cast<std::int64_t>(read)).end_object();
    ui.out(json.text() + "\n");
  } else {
    ui.out(fmt::format("ok: {}, {}\n",
                       count_noun(static_cast<std::uint64_t>(read), "config file"),
                       count_noun(settings.all().size(), "value")));
  }
  return 0;
}

}  // namespace

int config_command(const CommandLine& line, const EnvironmentLookup& environment, Ui& ui) {
  if (line.command->command == Command::config_path) {
    return list_files(config_files_for(line, environment), ui);
  }
  const Settings settings = load_settings(line, environment);
  switch (line.command->command) {
    case Command::config_get:
      return show_value(line, settings, ui);
    case Command::config_list:
      return list_values(settings, ui);
    case Command::config_explain:
      return explain_values(line, settings, ui);
    default:
      return validate(settings, config_files_for(line, environment), ui);
  }
}

}  // namespace batchllm
