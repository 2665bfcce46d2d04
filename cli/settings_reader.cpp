// SPDX-License-Identifier: Apache-2.0
#include "cli/settings_reader.h"

#include "core/error.h"
#include "core/job_settings_reader.h"
#include "core/text.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace batchllm {
namespace {

constexpr std::size_t k_largest_prompt_file = std::size_t{4} << 20;

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

[[noreturn]] void refuse_file(ErrorCode code, const SettingValue& value, const std::string& why) {
  const std::string& path = value.texts.front();
  const bool is_flag_layer = value.layer == Layer::command_line;
  const std::string subject = is_flag_layer ? fmt::format("{} {}", value.place, path)
                                            : fmt::format("{} (set by {})", path, value.place);
  throw Error(code, fmt::format("{}: {}", subject, why)).with_detail("path", path);
}

// The text of --prompt-file or --system-file, without the line break that editors put at the end.
std::string read_text_file(const SettingValue& value) {
  const std::string& path = value.texts.front();
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  if (!file) {
    const int reason = errno;
    refuse_file(reason == ENOENT ? ErrorCode::input_missing : ErrorCode::input_unreadable,
                value,
                lowercase(std::generic_category().message(reason)));
  }
  std::string text(k_largest_prompt_file + 1, '\0');
  const auto got = std::fread(text.data(), 1, text.size(), file.get());
  if (std::ferror(file.get()) != 0) {
    refuse_file(
        ErrorCode::input_unreadable, value, lowercase(std::generic_category().message(errno)));
  }
  if (got > k_largest_prompt_file) {
    refuse_file(ErrorCode::input_malformed,
                value,
                fmt::format("larger than {}", bytes_text(k_largest_prompt_file)));
  }
  text.resize(got);
  if (!is_utf8(text)) {
    refuse_file(ErrorCode::input_malformed, value, "not valid UTF-8");
  }
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.erase(0, 3);
  }
  if (text.ends_with('\n')) {
    text.pop_back();
  }
  if (text.ends_with('\r')) {
    text.pop_back();
  }
  if (trim(text).empty()) {
    refuse_file(ErrorCode::input_malformed, value, "is empty");
  }
  return text;
}

}  // namespace

void check_settings(const CommandSpec& spec, const Settings& settings) {
  for (const OptionKey* option : options_of(spec)) {
    if (const SettingValue* value = settings.find(option->key); value != nullptr) {
      check_setting(*option, *value);
    }
  }
  check_exclusive(settings, spec.command);
}

void read_prompt_files(const Settings& settings, PromptSettings& prompt) {
  if (const SettingValue* file = settings.find("run.prompt_file"); file != nullptr) {
    prompt.prompt = read_text_file(*file);
    prompt.prompt_file = file->texts.front();
  }
  if (const SettingValue* file = settings.find("run.system_file"); file != nullptr) {
    prompt.system = read_text_file(*file);
  }
}

JobOverrides::JobOverrides(const SettingLayer& flags)
    : settings_(std::vector<SettingLayer>{flags}) {}

void JobOverrides::apply_to(JobSettings& settings) const {
  apply_asking_options(settings_, settings);
}

}  // namespace batchllm
