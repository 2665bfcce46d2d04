// SPDX-License-Identifier: Apache-2.0
#include "core/json_document.h"

#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace batchllm {
namespace {

namespace ondemand = simdjson::ondemand;

std::string phrase(simdjson::error_code code) {
  switch (code) {
    case simdjson::EMPTY:
      return "nothing in it";
    case simdjson::UTF8_ERROR:
      return "not well-formed UTF-8";
    case simdjson::UNCLOSED_STRING:
      return "not JSON: a string without its closing quote";
    case simdjson::UNESCAPED_CHARS:
      return "not JSON: a control character inside a string";
    case simdjson::STRING_ERROR:
      return "not JSON: a broken escape in a string";
    case simdjson::NUMBER_ERROR:
    case simdjson::NUMBER_OUT_OF_RANGE:
      return "not JSON: a number that is malformed or out of range";
    case simdjson::DEPTH_ERROR:
      return "nested too deeply";
    default:
      return "not JSON: commas, brackets, quotes or words are not where they must be";
  }
}

// The whole text as a number of this kind, else nothing.
template <typename Number>
std::optional<Number> converted(const std::string& text) noexcept {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

}  // namespace

// Copies the values of a document that is known to be JSON.
class JsonDocumentReader {
 public:
  explicit JsonDocumentReader(const JsonLimits& limits) : limits_(limits) {}

  // The document's value stands alone in an array: the parser treats a lone scalar differently.
  Result<JsonNode> read(ondemand::document& wrapped) {
    JsonNode node;
    ondemand::array array;
    if (take(wrapped.get_array().get(array))) {
      for (auto element : array) {
        ondemand::value value;
        if (!take(element.get(value)) || !read_value(value, node, 0)) {
          break;
        }
      }
    }
    if (!failure_.empty()) {
      return Failure{failure_};
    }
    return node;
  }

 private:
  bool take(simdjson::error_code code) { return code == simdjson::SUCCESS || fail(phrase(code)); }

  bool fail(std::string why) {
    failure_ = std::move(why);
    return false;
  }

  bool read_value(ondemand::value value, JsonNode& node, std::size_t depth) {
    if (++values_ > limits_.values) {
      return fail(fmt::format("more than {} values in it", limits_.values));
    }
    ondemand::json_type type{};
    if (!take(value.type().get(type))) {
      return false;
    }
    switch (type) {
      case ondemand::json_type::array:
        return deepen(depth) && read_array(value, node, depth + 1);
      case ondemand::json_type::object:
        return deepen(depth) && read_object(value, node, depth + 1);
      case ondemand::json_type::string:
        return read_string(value, node.value_.emplace<std::string>());
      case ondemand::json_type::boolean:
        return take(value.get_bool().get(node.value_.emplace<bool>()));
      case ondemand::json_type::number:
        node.value_.emplace<JsonNode::Number>().text = trim(value.raw_json_token());
        return true;
      default:
        return true;  // null, which a node is
    }
  }

  bool deepen(std::size_t depth) {
    return depth < limits_.depth ||
           fail(fmt::format("nested more than {} levels deep", limits_.depth));
  }

  bool read_string(ondemand::value& value, std::string& out) {
    std::string_view text;
    if (!take(value.get_string().get(text))) {
      return false;
    }
    out = text;
    return true;
  }

  bool read_array(ondemand::value& value, JsonNode& node, std::size_t depth) {
    auto& items = node.value_.emplace<JsonNode::Array>();
    ondemand::array array;
    if (!take(value.get_array().get(array))) {
      return false;
    }
    for (auto element : array) {
      ondemand::value item;
      if (!take(element.get(item)) || !read_value(item, items.emplace_back(), depth)) {
        return false;
      }
    }
    return true;
  }

  bool read_object(ondemand::value& value, JsonNode& node, std::size_t depth) {
    auto& members = node.value_.emplace<JsonNode::Object>();
    ondemand::object object;
    if (!take(value.get_object().get(object))) {
      return false;
    }
    for (auto element : object) {
      ondemand::field field;
      std::string_view key;
      if (!take(std::move(element).get(field)) || !take(field.unescaped_key().get(key))) {
        return false;
      }
      auto& member = members.emplace_back();
      member.key = key;
      if (!read_value(field.value(), member.value, depth)) {
        return false;
      }
    }
    return keys_differ(members);
  }

  // Readers disagree about which of two counts: who relies on one of them must hear of it.
  bool keys_differ(const JsonNode::Object& members) {
    std::vector<std::string_view> keys;
    keys.reserve(members.size());
    for (const auto& member : members) {
      keys.push_back(member.key);
    }
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    return twice == keys.end() ||
           fail(fmt::format("the key \"{}\" stands twice in an object", one_line(*twice, 60)));
  }

  const JsonLimits& limits_;
  std::size_t values_ = 0;
  std::string failure_;
};

std::optional<bool> JsonNode::boolean() const noexcept {
  const bool* value = std::get_if<bool>(&value_);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::optional<std::string_view> JsonNode::string() const noexcept {
  const auto* text = std::get_if<std::string>(&value_);
  return text == nullptr ? std::nullopt : std::optional<std::string_view>(*text);
}

std::optional<std::int64_t> JsonNode::integer() const noexcept {
  const auto* number = std::get_if<Number>(&value_);
  return number == nullptr ? std::nullopt : converted<std::int64_t>(number->text);
}

std::optional<std::uint64_t> JsonNode::unsigned_integer() const noexcept {
  const auto* number = std::get_if<Number>(&value_);
  return number == nullptr ? std::nullopt : converted<std::uint64_t>(number->text);
}

std::optional<double> JsonNode::number() const noexcept {
  const auto* number = std::get_if<Number>(&value_);
  return number == nullptr ? std::nullopt : parse_number(number->text);
}

std::optional<std::string_view> JsonNode::number_text() const noexcept {
  const auto* number = std::get_if<Number>(&value_);
  return number == nullptr ? std::nullopt : std::optional<std::string_view>(number->text);
}

std::span<const JsonNode> JsonNode::items() const noexcept {
  const auto* array = std::get_if<Array>(&value_);
  return array == nullptr ? std::span<const JsonNode>() : std::span<const JsonNode>(*array);
}

std::span<const JsonMember> JsonNode::members() const noexcept {
  const auto* object = std::get_if<Object>(&value_);
  return object == nullptr ? std::span<const JsonMember>() : std::span<const JsonMember>(*object);
}

const JsonNode* JsonNode::find(std::string_view key) const noexcept {
  for (const auto& member : members()) {
    if (member.key == key) {
      return &member.value;
    }
  }
  return nullptr;
}

std::optional<std::string_view> JsonNode::find_string(std::string_view key) const noexcept {
  const JsonNode* found = find(key);
  return found == nullptr ? std::nullopt : found->string();
}

void JsonNode::append_to(std::string& out) const {
  const auto append_list = [&out](char open, const auto& list, char close, auto append) {
    out += open;
    for (const auto& entry : list) {
      if (&entry != list.data()) {
        out += ',';
      }
      append(entry);
    }
    out += close;
  };
  switch (kind()) {
    case Kind::null:
      out += "null";
      break;
    case Kind::boolean:
      out += std::get<bool>(value_) ? "true" : "false";
      break;
    case Kind::number:
      out += std::get<Number>(value_).text;
      break;
    case Kind::string:
      out += '"';
      append_json_escaped(out, std::get<std::string>(value_));
      out += '"';
      break;
    case Kind::array:
      append_list('[', items(), ']', [&](const JsonNode& item) { item.append_to(out); });
      break;
    case Kind::object:
      append_list('{', members(), '}', [&](const JsonMember& member) {
        out += '"';
        append_json_escaped(out, member.key);
        out += "\":";
        member.value.append_to(out);
      });
      break;
  }
}

std::string JsonNode::to_json() const {
  std::string out;
  append_to(out);
  return out;
}

Result<JsonNode> parse_json_document(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes) {
    return Failure{
        fmt::format("{} long, more than {}", bytes_text(text.size()), bytes_text(limits.bytes))};
  }
  // The full parse decides whether it is JSON at all; the lazy one keeps the spelling of numbers.
  simdjson::dom::parser full;
  simdjson::dom::element root;
  if (const auto code = full.parse(text.data(), text.size()).get(root); code != simdjson::SUCCESS) {
    return Failure{phrase(code)};
  }
  simdjson::padded_string wrapped(text.size() + 2);
  wrapped.data()[0] = '[';
  std::copy(text.begin(), text.end(), wrapped.data() + 1);
  wrapped.data()[text.size() + 1] = ']';
  ondemand::parser lazy;
  ondemand::document document;
  if (const auto code = lazy.iterate(wrapped).get(document); code != simdjson::SUCCESS) {
    return Failure{phrase(code)};
  }
  return JsonDocumentReader(limits).read(document);
}

std::string simdjson_version() {
  return fmt::format("{}.{}.{} ({})",
                     static_cast<int>(simdjson::SIMDJSON_VERSION_MAJOR),
                     static_cast<int>(simdjson::SIMDJSON_VERSION_MINOR),
                     static_cast<int>(simdjson::SIMDJSON_VERSION_REVISION),
                     simdjson::get_active_implementation()->name());
}

}  // namespace batchllm
