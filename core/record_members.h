// SPDX-License-Identifier: Apache-2.0
// Included by core/job_record*.cpp only: it brings simdjson.
#pragma once

#include "core/json_text.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm {

// Writes members of a JSON object one by one: what RecordReader reads under the same names.
class RecordWriter {
 public:
  explicit RecordWriter(JsonWriter& json) : json_(json) {}

  void text(std::string_view name, const std::string& value) { json_.key(name).string(value); }

  void flag(std::string_view name, bool value) { json_.key(name).boolean(value); }

  void count(std::string_view name, std::uint64_t value) { json_.key(name).number(value); }

  void size(std::string_view name, std::size_t value) { count(name, value); }

  void integer(std::string_view name, std::int64_t value) { json_.key(name).number(value); }

  void optional_count(std::string_view name, const std::optional<std::uint64_t>& value) {
    json_.key(name);
    value ? json_.number(*value) : json_.null();
  }

  void optional_integer(std::string_view name, const std::optional<std::int64_t>& value) {
    json_.key(name);
    value ? json_.number(*value) : json_.null();
  }

  void optional_decimal(std::string_view name, const std::optional<double>& value) {
    json_.key(name);
    value ? json_.raw(fmt::format("{}", *value)) : json_.null();
  }

  void letter(std::string_view name, const std::optional<char>& value) {
    json_.key(name);
    value ? json_.number(static_cast<int>(static_cast<unsigned char>(*value))) : json_.null();
  }

  void texts(std::string_view name, const std::vector<std::string>& values) {
    json_.key(name).begin_array();
    for (const auto& value : values) {
      json_.string(value);
    }
    json_.end_array();
  }

  void pairs(std::string_view name,
             const std::vector<std::pair<std::string, std::string>>& values) {
    json_.key(name).begin_array();
    for (const auto& [key, value] : values) {
      json_.begin_array().string(key).string(value).end_array();
    }
    json_.end_array();
  }

  template <typename Enum, std::size_t N>
  void choice(std::string_view name, Enum value, const std::array<std::string_view, N>& names) {
    json_.key(name).string(names[static_cast<std::size_t>(value)]);
  }

 private:
  JsonWriter& json_;
};

// Members that are absent keep their defaults: older files lack newer members.
class RecordReader {
 public:
  explicit RecordReader(simdjson::dom::object object) : object_(object) {}

  const simdjson::dom::object& object() const noexcept { return object_; }

  void text(std::string_view name, std::string& value) const {
    std::string_view found;
    if (object_[name].get(found) == simdjson::SUCCESS) {
      value = found;
    }
  }

  void flag(std::string_view name, bool& value) const {
    bool found = false;
    if (object_[name].get(found) == simdjson::SUCCESS) {
      value = found;
    }
  }

  void count(std::string_view name, std::uint64_t& value) const { number(name, value); }

  void size(std::string_view name, std::size_t& value) const {
    std::uint64_t found = value;
    number(name, found);
    value = found;
  }

  void integer(std::string_view name, std::int64_t& value) const { number(name, value); }

  void optional_count(std::string_view name, std::optional<std::uint64_t>& value) const {
    optional_number(name, value);
  }

  void optional_integer(std::string_view name, std::optional<std::int64_t>& value) const {
    optional_number(name, value);
  }

  void optional_decimal(std::string_view name, std::optional<double>& value) const {
    optional_number(name, value);
  }

  void letter(std::string_view name, std::optional<char>& value) const {
    std::optional<std::int64_t> found;
    optional_number(name, found);
    if (found) {
      value = static_cast<char>(*found);
    }
  }

  void texts(std::string_view name, std::vector<std::string>& values) const {
    simdjson::dom::array array;
    if (object_[name].get(array) != simdjson::SUCCESS) {
      return;
    }
    values.clear();
    for (const auto element : array) {
      std::string_view value;
      if (element.get(value) == simdjson::SUCCESS) {
        values.emplace_back(value);
      }
    }
  }

  void pairs(std::string_view name,
             std::vector<std::pair<std::string, std::string>>& values) const {
    simdjson::dom::array array;
    if (object_[name].get(array) != simdjson::SUCCESS) {
      return;
    }
    values.clear();
    for (const auto element : array) {
      std::string_view key;
      std::string_view value;
      if (element.at(0).get(key) == simdjson::SUCCESS &&
          element.at(1).get(value) == simdjson::SUCCESS) {
        values.emplace_back(key, value);
      }
    }
  }

  template <typename Enum, std::size_t N>
  void choice(std::string_view name,
              Enum& value,
              const std::array<std::string_view, N>& names) const {
    std::string_view found;
    if (object_[name].get(found) != simdjson::SUCCESS) {
      return;
    }
    for (std::size_t i = 0; i < N; ++i) {
      if (names[i] == found) {
        value = static_cast<Enum>(i);
      }
    }
  }

 private:
  template <typename Number>
  void number(std::string_view name, Number& value) const {
    Number found{};
    if (object_[name].get(found) == simdjson::SUCCESS) {
      value = found;
    }
  }

  template <typename Number>
  void optional_number(std::string_view name, std::optional<Number>& value) const {
    Number found{};
    if (object_[name].get(found) == simdjson::SUCCESS) {
      value = found;
    }
  }

  simdjson::dom::object object_;
};

}  // namespace batchllm
