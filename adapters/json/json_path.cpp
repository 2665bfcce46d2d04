// SPDX-License-Identifier: Apache-2.0
#include "adapters/json/json_path.h"

#include "adapters/json/json_members.h"
#include "adapters/json/json_scan.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace batchllm::json {
namespace {

constexpr std::size_t k_longest_name = std::size_t{64} << 10;
constexpr std::size_t k_most_names = 1000;  // remembered for the hint

// Walks down a document as it comes in.
class PathSearch {
 public:
  PathSearch(JsonWindow& window, const std::string& path) : window_(window), path_(path) {}

  std::uint64_t run() {
    for (const auto& step : parse_json_path(path_)) {
      names_.clear();
      const char open = next_token();
      if (open == '{') {
        take();
        enter_member(step);
      } else if (open == '[') {
        take();
        enter_element(step);
      } else {
        fail(fmt::format("{} is no object that could have a member {}", place(), shown(step)));
      }
      walked_ += "/" + step;
    }
    if (next_token() != '[') {
      fail(fmt::format("{} is not an array", place()));
    }
    take();
    return line_;
  }

 private:
  // The byte at hand, '\0' at the end.
  char peek() {
    while (window_.rest().empty()) {
      if (!window_.fill()) {
        return '\0';
      }
    }
    return window_.rest().front();
  }

  void take(std::size_t count = 1) {
    const std::string_view taken = window_.rest().substr(0, count);
    line_ += static_cast<std::uint64_t>(std::count(taken.begin(), taken.end(), '\n'));
    window_.consume(count);
  }

  char next_token() {
    while (true) {
      const char byte = peek();
      if (byte != ' ' && byte != '\n' && byte != '\r' && byte != '\t') {
        return byte;
      }
      take();
    }
  }

  // Behind '{': goes to the value of the member called `name`.
  void enter_member(const std::string& name) {
    if (next_token() == '}') {
      not_found(name);
    }
    while (true) {
      if (next_token() != '"') {
        malformed("a member name");
      }
      const std::string key = read_string();
      if (next_token() != ':') {
        malformed("a colon");
      }
      take();
      if (key == name) {
        return;
      }
      if (names_.size() < k_most_names) {
        names_.push_back(key);
      }
      skip_value();
      const char byte = next_token();
      if (byte == '}') {
        not_found(name);
      }
      if (byte != ',') {
        malformed("a comma");
      }
      take();
    }
  }

  // Behind '[': goes to an element by its number.
  void enter_element(const std::string& step) {
    const auto index = parse_integer(step);
    if (!index || *index < 0) {
      fail(fmt::format("{} is an array, which has no member {}", place(), shown(step)));
    }
    for (std::int64_t at = 0; at < *index; ++at) {
      if (next_token() == ']') {
        not_found(step);
      }
      skip_value();
      if (next_token() != ',') {
        not_found(step);
      }
      take();
    }
    if (next_token() == ']') {
      not_found(step);
    }
  }

  // At an opening quote. Names longer than any that is asked for are cut.
  std::string read_string() {
    std::string raw;
    take();
    for (bool escaped = false;;) {
      const char byte = peek();
      if (window_.rest().empty()) {
        malformed("a closing quote");
      }
      take();
      if (!escaped && byte == '"') {
        break;
      }
      escaped = !escaped && byte == '\\';
      if (raw.size() < k_longest_name) {
        raw += byte;
      }
    }
    std::string name;
    append_unescaped(name, raw);
    return name;
  }

  void skip_value() {
    const char first = next_token();
    if (first == '"') {
      read_string();
    } else if (first == '{' || first == '[') {
      skip_brackets();
    } else {
      while (!window_.rest().empty() || window_.fill()) {
        const char byte = peek();
        if (byte == ',' || byte == '}' || byte == ']' || byte == '\n' || byte == ' ') {
          return;
        }
        take();
      }
    }
  }

  void skip_brackets() {
    BracketScan scan;
    while (true) {
      const auto length = scan_brackets(window_.rest(), scan);
      take(length.value_or(window_.rest().size()));
      if (length) {
        return;
      }
      if (!window_.fill()) {
        malformed("a closing bracket");
      }
    }
  }

  static std::string shown(const std::string& text) { return "\"" + one_line(text, 60) + "\""; }

  std::string place() const { return walked_.empty() ? "the top level" : one_line(walked_, 100); }

  [[noreturn]] void not_found(const std::string& step) {
    fail(fmt::format("{} has no {}", place(), shown(step)), step);
  }

  [[noreturn]] void malformed(std::string_view wanted) {
    fail(fmt::format("{} is missing at line {}, byte {}", wanted, line_, window_.offset()));
  }

  [[noreturn]] void fail(const std::string& what, const std::string& step = {}) {
    std::string hint =
        "--json-path takes a JSON pointer (/data/items) or names with points (data.items)";
    if (const auto nearest = nearest_name(step, names_)) {
      hint = fmt::format(
          "did you mean --json-path {}/{}?", one_line(walked_, 100), one_line(*nearest, 60));
    } else if (!names_.empty()) {
      hint = fmt::format("{} has {}", place(), name_list(names_, 8));
    }
    throw Error(ErrorCode::input_malformed,
                fmt::format("{}: there is no array at --json-path {}: {}",
                            window_.stream().name(),
                            one_line(path_, 100),
                            what),
                hint)
        .with_detail("json_path", path_);
  }

  JsonWindow& window_;
  const std::string& path_;
  std::uint64_t line_ = 1;
  std::string walked_;
  std::vector<std::string> names_;  // passed over at the level at hand
};

}  // namespace

std::vector<std::string> parse_json_path(std::string_view path) {
  if (path.empty() || path == "/") {
    return {};
  }
  if (path.front() == '/') {
    auto steps = split(path.substr(1), '/');
    for (auto& step : steps) {
      std::string plain;
      for (std::size_t at = 0; at < step.size(); ++at) {
        const std::string_view rest = std::string_view(step).substr(at);
        if (rest.starts_with("~1") || rest.starts_with("~0")) {
          plain += rest[1] == '1' ? '/' : '~';
          ++at;
        } else {
          plain += step[at];
        }
      }
      step = plain;
    }
    return steps;
  }
  if (path.front() == '$') {  // as jq and JSONPath users begin
    path.remove_prefix(path.starts_with("$.") ? 2 : 1);
  } else if (path.front() == '.') {
    path.remove_prefix(1);
  }
  auto steps = split(path, '.');
  for (const auto& step : steps) {
    if (step.empty()) {
      throw Error(ErrorCode::usage,
                  fmt::format("--json-path {} has an empty step", one_line(path, 100)),
                  "write /data/items or data.items");
    }
  }
  return steps;
}

std::uint64_t find_array(JsonWindow& window, const std::string& path) {
  return PathSearch(window, path).run();
}

}  // namespace batchllm::json
