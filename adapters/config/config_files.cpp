// SPDX-License-Identifier: Apache-2.0
#include "adapters/config/config_files.h"

#include "core/error.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <toml++/toml.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <sstream>
#include <system_error>

namespace batchllm {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_largest_file = std::size_t{1} << 20;
constexpr std::string_view k_project_file = "batchllm.toml";

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

std::string read_whole(const std::string& path) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  std::string text(k_largest_file + 1, '\0');
  const auto got = file ? std::fread(text.data(), 1, text.size(), file.get()) : 0;
  if (!file || std::ferror(file.get()) != 0) {
    throw Error(ErrorCode::config_invalid,
                fmt::format("cannot read {}: {}", path, std::generic_category().message(errno)),
                "--no-config reads no config file");
  }
  if (got > k_largest_file) {
    throw Error(ErrorCode::config_invalid,
                fmt::format("{}: larger than {}", path, bytes_text(k_largest_file)));
  }
  text.resize(got);
  return text;
}

// Turns one parsed file into a layer.
class LayerReader {
 public:
  LayerReader(std::string path, Layer layer) : path_(std::move(path)), layer_(layer) {}

  SettingLayer read(const toml::table& document) {
    for (const auto& [name, node] : document) {
      const std::string key(name.str());
      const OptionKey* option = find_option(key);
      if (key == "providers") {
        check_providers(node);
      } else if (option != nullptr && section_of(*option).empty()) {
        take(*option, node);
      } else if (is_section(key)) {
        read_section(key, node);
      } else {
        refuse_unknown(key, node, {});
      }
    }
    return std::move(values_);
  }

 private:
  [[noreturn]] void fail(const toml::node& node,
                         const std::string& what,
                         const std::string& hint) const {
    throw Error(ErrorCode::config_invalid, fmt::format("{}: {}", place(node), what), hint)
        .with_detail("place", place(node));
  }

  std::string place(const toml::node& node) const {
    return fmt::format("{}:{}", path_, node.source().begin.line);
  }

  // What stands there is read with the models (adapters/providers/model_catalog.h). Of a project it
  // could send somebody's key elsewhere.
  void check_providers(const toml::node& node) const {
    if (layer_ == Layer::project) {
      fail(node,
           "a project's file may not set providers",
           "write [providers.NAME] into your own config file");
    }
  }

  static bool is_section(std::string_view name) {
    for (const OptionKey& option : option_table()) {
      if (!name.empty() && section_of(option) == name && option.set_by != SetBy::flag) {
        return true;
      }
    }
    return false;
  }

  // `section` is empty at the top of the file, where sections and global options stand.
  [[noreturn]] void refuse_unknown(const std::string& key,
                                   const toml::node& node,
                                   std::string_view section) const {
    std::vector<std::string> known;
    std::string home;
    for (const OptionKey& option : option_table()) {
      if (section_of(option) == section && option.set_by >= SetBy::user) {
        known.emplace_back(name_of(option));
      } else if (section.empty() && option.set_by >= SetBy::user) {
        known.emplace_back(section_of(option));
        home = name_of(option) == key ? std::string(section_of(option)) : home;
      }
    }
    const auto near = nearest_name(key, known);
    std::string hint = "see: batchllm help config";
    if (!home.empty()) {
      hint = fmt::format("it belongs under [{}]", home);
    } else if (near) {
      hint = fmt::format("did you mean {}?", *near);
    }
    fail(node, fmt::format("unknown key {}", one_line(dotted(section, key), 60)), hint);
  }

  static std::string dotted(std::string_view section, std::string_view key) {
    return section.empty() ? std::string(key) : fmt::format("{}.{}", section, key);
  }

  void read_section(const std::string& section, const toml::node& node) {
    if (!node.is_table()) {
      fail(node, fmt::format("{} must be a table", section), fmt::format("write [{}]", section));
    }
    for (const auto& [name, value] : *node.as_table()) {
      const std::string key(name.str());
      const OptionKey* option = find_option(dotted(section, key));
      if (option == nullptr || option->set_by < SetBy::user) {
        refuse_unknown(key, value, section);
      }
      take(*option, value);
    }
  }

  void take(const OptionKey& option, const toml::node& node) {
    if (option.set_by < SetBy::user) {
      fail(node,
           fmt::format("{} cannot be set in a config file", option.key),
           fmt::format("use {}", flag_of(option)));
    }
    if (layer_ == Layer::project && option.set_by != SetBy::anyone) {
      fail(node,
           fmt::format("a project's file may not set {}", option.key),
           fmt::format("set it in your own config file, by {} or by {}",
                       environment_of(option),
                       flag_of(option)));
    }
    SettingValue value{texts(option, node), layer_, place(node)};
    if (option.kind == ValueKind::path) {
      value.texts.front() = resolved(value.texts.front());
    }
    check_setting(option, value);
    values_[std::string(option.key)] = std::move(value);
  }

  std::string resolved(const std::string& file) const {
    if (file.empty() || file == "-" || file.starts_with('/')) {
      return file;
    }
    return (fs::path(path_).parent_path() / file).lexically_normal().string();
  }

  std::vector<std::string> texts(const OptionKey& option, const toml::node& node) const {
    switch (option.kind) {
      case ValueKind::texts:
        return node.is_array() ? list_texts(option, node)
                               : std::vector<std::string>{scalar_text(option, node)};
      case ValueKind::list:
      case ValueKind::choices:
        return list_texts(option, node);
      case ValueKind::pairs:
      case ValueKind::json_pairs:
        return pair_texts(option, node);
      default:
        return {scalar_text(option, node)};
    }
  }

  std::vector<std::string> list_texts(const OptionKey& option, const toml::node& node) const {
    if (const auto text = node.value_exact<std::string>()) {
      return split_list(*text);
    }
    if (!node.is_array()) {
      wrong_type(option, node, "a list of strings");
    }
    std::vector<std::string> items;
    for (const toml::node& item : *node.as_array()) {
      const auto text = item.value_exact<std::string>();
      if (!text) {
        wrong_type(option, item, "a list of strings");
      }
      items.push_back(*text);
    }
    return items;
  }

  std::vector<std::string> pair_texts(const OptionKey& option, const toml::node& node) const {
    if (!node.is_table()) {
      wrong_type(option, node, "a table");
    }
    std::vector<std::string> pairs;
    for (const auto& [name, value] : *node.as_table()) {
      const auto text = value.value_exact<std::string>();
      const bool verbatim = text && option.kind == ValueKind::pairs;
      pairs.push_back(fmt::format("{}={}", name.str(), verbatim ? *text : json_of(option, value)));
    }
    return pairs;
  }

  std::string json_of(const OptionKey& option, const toml::node& node) const {
    if (const auto text = node.value_exact<std::string>()) {
      return json_string(*text);
    }
    if (node.is_date() || node.is_time() || node.is_date_time()) {
      wrong_type(option, node, "a value that JSON has");
    }
    std::ostringstream out;
    node.visit([&out](const auto& value) { out << toml::json_formatter(value); });
    return out.str();
  }

  std::string scalar_text(const OptionKey& option, const toml::node& node) const {
    const bool is_text = node.is_string();
    switch (option.kind) {
      case ValueKind::flag:
        if (!node.is_boolean()) {
          wrong_type(option, node, "true or false");
        }
        return *node.value_exact<bool>() ? "true" : "false";
      case ValueKind::level:
      case ValueKind::count:
        // "none" is the only word that stands for a number.
        if (!node.is_integer() && !(is_text && *node.value_exact<std::string>() == "none")) {
          wrong_type(option, node, "a whole number");
        }
        break;
      case ValueKind::number:
      case ValueKind::money:
      case ValueKind::share:
      case ValueKind::bytes:
      case ValueKind::duration:
        if (!node.is_number() && !is_text) {
          wrong_type(option, node, "a number or a string");
        }
        break;
      default:
        if (!is_text) {
          wrong_type(option, node, "a string");
        }
    }
    if (const auto text = node.value_exact<std::string>()) {
      return *text;
    }
    const auto integer = node.value_exact<std::int64_t>();
    return integer ? fmt::format("{}", *integer) : fmt::format("{}", *node.value_exact<double>());
  }

  [[noreturn]] void wrong_type(const OptionKey& option,
                               const toml::node& node,
                               std::string_view expected) const {
    fail(node,
         fmt::format("{}: expected {}, found {}", option.key, expected, type_text(node)),
         std::string(option.help));
  }

  static std::string_view type_text(const toml::node& node) {
    if (node.is_string()) {
      return "a string";
    }
    if (node.is_number()) {
      return "a number";
    }
    if (node.is_boolean()) {
      return "true or false";
    }
    if (node.is_table()) {
      return "a table";
    }
    return node.is_array() ? "a list" : "a date or time";
  }

  std::string path_;
  Layer layer_;
  SettingLayer values_;
};

bool is_file(const std::string& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

}  // namespace

std::vector<ConfigFile> find_config_files(const Directories& directories,
                                          const std::string& folder) {
  std::vector<ConfigFile> files;
  const std::string system = "/etc/batchllm/config.toml";
  files.push_back({system, Layer::system, is_file(system)});
  if (!directories.config.empty()) {
    const std::string user = directories.config + "/config.toml";
    files.push_back({user, Layer::user, is_file(user)});
  }
  for (fs::path at = folder; !at.empty(); at = at.parent_path()) {
    const std::string candidate = (at / k_project_file).string();
    if (is_file(candidate)) {
      files.push_back({candidate, Layer::project, true});
      break;
    }
    if (at == at.root_path()) {
      break;
    }
  }
  return files;
}

SettingLayer read_config_file(const std::string& path, Layer layer) {
  const std::string text = read_whole(path);
  toml::table document;
  try {
    document = toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    throw Error(
        ErrorCode::config_invalid,
        fmt::format(
            "{}:{}: not valid TOML: {}", path, error.source().begin.line, error.description()),
        "strings stand in quotes: model = \"openai/gpt-4o-mini\"");
  }
  return LayerReader(path, layer).read(document);
}

}  // namespace batchllm
