// SPDX-License-Identifier: Apache-2.0
#include "adapters/input.h"
#include "adapters/input_format.h"
#include "adapters/stream/raw_bytes.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace batchllm {
namespace {

namespace fs = std::filesystem;

bool is_hidden(const fs::path& path) {
  return path.filename().string().starts_with('.');
}

[[noreturn]] void throw_unreadable(const std::string& folder, const std::error_code& error) {
  throw Error(ErrorCode::input_unreadable,
              fmt::format("cannot list the folder {}: {}", folder, error.message()),
              "check the permissions of the folder and of those in it");
}

// Regular files in the folder and below, bytewise. Links to folders are not followed, so that no
// circle of them can hold us.
std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  fs::recursive_directory_iterator at(folder, error);
  for (const fs::recursive_directory_iterator end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (is_hidden(at->path())) {
      at.disable_recursion_pending();
    } else if (at->is_regular_file(ignored)) {
      files.push_back(at->path().string());
    }
  }
  if (error) {
    throw_unreadable(folder, error);
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::string> only(const std::vector<std::string>& files,
                              bool (*wanted)(InputFormat, InputFormat),
                              InputFormat format) {
  std::vector<std::string> chosen;
  std::copy_if(
      files.begin(), files.end(), std::back_inserter(chosen), [&](const std::string& file) {
        return wanted(format_by_name(file), format);
      });
  return chosen;
}

std::vector<std::string> expand_folder(const std::string& folder, const InputSettings& settings) {
  const auto files = files_below(folder);
  std::vector<std::string> chosen;
  switch (settings.format) {
    case InputFormat::text:
      chosen = files;
      break;
    case InputFormat::automatic:
      chosen = only(
          files,
          [](InputFormat found, InputFormat) {
            return found == InputFormat::text || found == InputFormat::automatic;
          },
          settings.format);
      if (chosen.empty()) {
        chosen = files;
      }
      break;
    default:
      chosen = only(files, &same_family, settings.format);
  }
  if (chosen.empty()) {
    throw Error(
        ErrorCode::input_missing,
        files.empty()
            ? fmt::format("the folder {} holds no files", folder)
            : fmt::format("the folder {} holds no {} files", folder, format_name(settings.format)),
        files.empty() ? "" : "--input-format text takes every file as a row");
  }
  return chosen;
}

std::vector<std::string> expand_pattern(const std::string& pattern) {
  glob_t found{};
  const int result = ::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found);
  std::vector<std::string> files;
  for (std::size_t i = 0; result == 0 && i < found.gl_pathc; ++i) {
    std::error_code ignored;
    if (fs::is_regular_file(found.gl_pathv[i], ignored)) {
      files.emplace_back(found.gl_pathv[i]);
    }
  }
  ::globfree(&found);
  if (files.empty()) {
    throw Error(ErrorCode::input_missing,
                fmt::format("no file matches {}", pattern),
                "list the folder to see what is there");
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::vector<std::string> expand_inputs(const std::vector<std::string>& arguments,
                                       const InputSettings& settings) {
  std::vector<std::string> paths;
  for (const auto& argument : arguments) {
    std::error_code ignored;
    std::vector<std::string> files;
    if (argument == "-" || fs::is_regular_file(argument, ignored)) {
      files = {argument};
    } else if (fs::is_directory(argument, ignored)) {
      files = expand_folder(argument, settings);
    } else if (!fs::exists(argument, ignored) &&
               argument.find_first_of("*?[") != std::string::npos) {
      files = expand_pattern(argument);
    } else if (fs::exists(argument, ignored)) {
      files = {argument};  // a FIFO or a device
    } else {
      open_raw_file(argument);  // says what is wrong, with the nearest name
    }
    paths.insert(paths.end(), files.begin(), files.end());
  }
  return paths;
}

}  // namespace batchllm
