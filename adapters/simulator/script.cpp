// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/script.h"

#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <regex.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>

namespace batchllm::simulator {
namespace {

namespace dom = simdjson::dom;

// A regular expression looks at so much of a message: its cost must not grow with a huge row.
constexpr std::size_t k_regex_looks_at = std::size_t{64} << 10;
constexpr std::string_view k_hint =
    R"(a line looks like {"match":"refund","content":"complaint"} or {"status":500,"times":1})";

struct FreeRegex {
  void operator()(regex_t* expression) const noexcept {
    regfree(expression);
    delete expression;
  }
};

using Regex = std::unique_ptr<regex_t, FreeRegex>;

Regex compile(const std::string& expression) {
  auto compiled = std::make_unique<regex_t>();
  const int code = regcomp(compiled.get(), expression.c_str(), REG_EXTENDED | REG_NOSUB);
  if (code != 0) {
    std::string reason(128, '\0');
    reason.resize(
        std::max<std::size_t>(regerror(code, compiled.get(), reason.data(), reason.size()), 1) - 1);
    throw Error(ErrorCode::input_malformed, fmt::format("match_regex: {}", reason));
  }
  return Regex(compiled.release());
}

[[noreturn]] void malformed(std::string message) {
  throw Error(ErrorCode::input_malformed, std::move(message), std::string(k_hint));
}

std::string text_of(std::string_view key, dom::element value) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) {
    malformed(fmt::format("\"{}\" must be a text", key));
  }
  return std::string(text);
}

std::int64_t count_of(std::string_view key, dom::element value) {
  std::int64_t number = 0;
  if (value.get(number) != simdjson::SUCCESS || number < 0) {
    malformed(fmt::format("\"{}\" must be a whole number", key));
  }
  return number;
}

std::int64_t delay_of(dom::element value) {
  const std::optional<std::int64_t> ms = parse_duration_ms(text_of("delay", value));
  if (!ms) {
    malformed("\"delay\" must be a duration, as in \"2s\"");
  }
  return *ms;
}

int status_of(dom::element value) {
  const std::int64_t status = count_of("status", value);
  if (status < 200 || status > 599) {
    malformed("\"status\" must be 200 to 599");
  }
  return static_cast<int>(status);
}

std::string body_of(dom::element value) {
  std::string_view text;
  return value.get(text) == simdjson::SUCCESS ? std::string(text) : simdjson::minify(value);
}

void read_error(dom::element value, ScriptedAnswer& answer) {
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) {
    answer.error = std::string(text);
  } else if (value.is_object()) {
    answer.body = R"({"error":)" + simdjson::minify(value) + "}";
  } else {
    malformed("\"error\" must be a text or an object");
  }
}

void read_headers(dom::element value, ScriptedAnswer& answer) {
  dom::object headers;
  if (value.get(headers) != simdjson::SUCCESS) {
    malformed("\"headers\" must be an object of texts");
  }
  for (const dom::key_value_pair header : headers) {
    std::string text = text_of("headers", header.value);
    if (header.key.empty() || header.key.find_first_of("\r\n: ") != std::string_view::npos ||
        text.find_first_of("\r\n") != std::string::npos) {
      malformed(fmt::format("\"{}\" is no header", one_line(header.key, 40)));
    }
    answer.headers.emplace_back(header.key, std::move(text));
  }
}

void read_usage(dom::element value, ScriptedAnswer& answer) {
  dom::object usage;
  if (value.get(usage) != simdjson::SUCCESS) {
    malformed("\"usage\" must be an object");
  }
  for (const dom::key_value_pair member : usage) {
    if (member.key == "prompt_tokens") {
      answer.prompt_tokens = count_of(member.key, member.value);
    } else if (member.key == "completion_tokens") {
      answer.completion_tokens = count_of(member.key, member.value);
    } else {
      malformed(fmt::format("\"{}\" is not known in \"usage\"", one_line(member.key, 40)));
    }
  }
}

// The members that say what to answer; false when `key` is none of them.
bool read_answer_member(std::string_view key, dom::element value, ScriptedAnswer& answer) {
  if (key == "content") {
    answer.content = text_of(key, value);
  } else if (key == "refusal") {
    answer.refusal = text_of(key, value);
  } else if (key == "finish_reason") {
    answer.finish_reason = text_of(key, value);
  } else if (key == "usage") {
    read_usage(value, answer);
  } else if (key == "status") {
    answer.status = status_of(value);
  } else if (key == "body") {
    answer.body = body_of(value);
  } else if (key == "error") {
    read_error(value, answer);
  } else if (key == "headers") {
    read_headers(value, answer);
  } else if (key == "delay") {
    answer.delay_ms = delay_of(value);
  } else if (key == "fault") {
    answer.fault = parse_fault_kind(text_of(key, value));
  } else {
    return false;
  }
  return true;
}

}  // namespace

struct Script::Line {
  std::optional<std::string> part;
  std::optional<std::string> model;
  Regex expression;
  std::optional<std::int64_t> times_left;
  ScriptedAnswer answer;

  static Line parse(dom::element json) {
    dom::object object;
    if (json.get(object) != simdjson::SUCCESS) {
      malformed("not a JSON object");
    }
    Line line;
    for (const auto [key, value] : object) {
      if (key == "match") {
        line.part = text_of(key, value);
      } else if (key == "model") {
        line.model = text_of(key, value);
      } else if (key == "match_regex") {
        line.expression = compile(text_of(key, value));
      } else if (key == "times") {
        line.times_left = count_of(key, value);
      } else if (!read_answer_member(key, value, line.answer)) {
        malformed(fmt::format("\"{}\" is not known", one_line(key, 40)));
      }
    }
    return line;
  }

  bool fits(std::string_view user_text, std::string_view asked_model) const {
    if ((times_left && *times_left == 0) || (model && *model != asked_model)) {
      return false;
    }
    if (part && user_text.find(*part) == std::string_view::npos) {
      return false;
    }
    if (!expression) {
      return true;
    }
    const std::string text(user_text.substr(0, k_regex_looks_at));
    return regexec(expression.get(), text.c_str(), 0, nullptr, 0) == 0;
  }
};

Script::Script() = default;
Script::~Script() = default;
Script::Script(Script&&) noexcept = default;
Script& Script::operator=(Script&&) noexcept = default;

Script Script::parse(std::string_view text, std::string_view name) {
  Script script;
  dom::parser parser;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.empty()) {
      continue;
    }
    try {
      dom::element json;
      if (parser.parse(line.data(), line.size()).get(json) != simdjson::SUCCESS) {
        malformed("not JSON");
      }
      script.lines_.push_back(Line::parse(json));
    } catch (Error& error) {
      throw Error(ErrorCode::input_malformed,
                  fmt::format("{}:{}: {}", name, number, error.message()),
                  error.hint().empty() ? std::string(k_hint) : error.hint());
    }
  }
  return script;
}

Script Script::read_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    const int cause = errno;
    if (file && cause == 0) {
      return {};  // empty: rdbuf() has nothing to give
    }
    throw Error(cause == ENOENT ? ErrorCode::input_missing : ErrorCode::input_unreadable,
                fmt::format("--script {}: {}", path, std::generic_category().message(cause)),
                std::string(k_hint));
  }
  return parse(text.str(), path);
}

const ScriptedAnswer* Script::find(std::string_view user_text, std::string_view model) {
  for (Line& line : lines_) {
    if (line.fits(user_text, model)) {
      if (line.times_left) {
        --*line.times_left;
      }
      return &line.answer;
    }
  }
  return nullptr;
}

}  // namespace batchllm::simulator
