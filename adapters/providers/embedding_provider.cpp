// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/embedding_provider.h"

#include "core/float_vector.h"
#include "core/json_text.h"

#include <fmt/format.h>

#include <cmath>

namespace batchllm {
namespace {

namespace ondemand = wire::ondemand;

// No provider takes more rows in one request: a larger index is none.
constexpr std::size_t k_most_rows = std::size_t{1} << 16;

}  // namespace

void EmbeddingProvider::encode(const Prompt& prompt, std::string& body) const {
  body.clear();
  write_part(prompt.messages.back().text, body);
}

void EmbeddingProvider::write_part(std::string_view text, std::string& part) const {
  append_json_string(part, text);
}

void EmbeddingProvider::join(std::span<const std::string_view> parts, std::string& body) const {
  std::size_t size = head_.size() + tail_.size() + parts.size();
  for (const std::string_view part : parts) {
    size += part.size();
  }
  body.clear();
  body.reserve(size);
  body += head_;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    body += i == 0 ? "" : ",";
    body += parts[i];
  }
  body += tail_;
}

void EmbeddingProvider::add_dimensions(std::string& object) const {
  const auto& dimensions = request().dimensions;
  if (dimensions) {
    append_member(object, request().traits.dimensions, std::to_string(*dimensions));
  }
}

bool EmbeddingProvider::take_numbers(ondemand::value value, Vector& vector) {
  numbers_.clear();
  bool are_numbers = true;
  const bool is_array = wire::for_each_element(value, [&](ondemand::value element) {
    double number = 0;
    are_numbers = element.get_double().get(number) == simdjson::SUCCESS && are_numbers;
    numbers_.push_back(static_cast<float>(number));
    are_numbers = are_numbers && std::isfinite(numbers_.back());
  });
  if (!is_array || !are_numbers || numbers_.empty()) {
    return false;
  }
  vector.begin = base64_.size();
  append_vector(base64_, numbers_);
  vector.size = base64_.size() - vector.begin;
  return true;
}

bool EmbeddingProvider::take_vector(ondemand::value value, std::size_t row) {
  ondemand::json_type type{};
  if (row >= k_most_rows || value.type().get(type) != simdjson::SUCCESS) {
    return false;
  }
  Vector vector;
  if (type == ondemand::json_type::string) {
    vector.given = wire::string_or_empty(value);
    if (!read_vector(vector.given, numbers_, bytes_)) {
      return false;
    }
  } else if (!take_numbers(value, vector)) {
    return false;
  }
  dimensions_ = numbers_.size();
  if (vectors_.size() <= row) {
    vectors_.resize(row + 1);
  }
  vectors_[row] = vector;
  return true;
}

bool EmbeddingProvider::take_vectors(ondemand::value value) {
  bool are_vectors = true;
  const bool is_array = wire::for_each_element(value, [&](ondemand::value element) {
    are_vectors = are_vectors && take_vector(element, vectors_.size());
  });
  return is_array && are_vectors;
}

Answer EmbeddingProvider::decode(HttpResponse& response) {
  vectors_.clear();
  base64_.clear();
  texts_.clear();
  EmbeddingReply reply;
  const bool is_readable = read_members(response, [&](std::string_view key, ondemand::value value) {
    return read_member(key, value, reply);
  });
  if (response.status < 200 || response.status > 299) {
    return error_answer(response, reply, is_readable);
  }
  if (!is_readable) {
    return unreadable_answer(response);
  }
  Answer answer;
  answer.usage = reply.usage;
  judge(reply, answer);
  return answer;
}

void EmbeddingProvider::judge(const EmbeddingReply& reply, Answer& answer) {
  constexpr int k_server_error = 500;
  if (vectors_.empty() && !reply.error.message.empty()) {
    take_error(k_server_error, reply, answer);
    return;
  }
  const auto wanted = request().dimensions;
  if (vectors_.empty()) {
    answer.failure = RowFailure::protocol_error;
    answer.message = "the response holds no vectors";
  } else if (wanted && dimensions_ != static_cast<std::size_t>(*wanted)) {
    answer.failure = RowFailure::bad_request;
    answer.message =
        fmt::format("vectors of {} numbers came, not of {}: the model does not follow --dimensions",
                    dimensions_,
                    *wanted);
  }
  for (const Vector& vector : vectors_) {
    texts_.push_back(vector.given.empty()
                         ? std::string_view(base64_).substr(vector.begin, vector.size)
                         : vector.given);
    if (texts_.back().empty() && answer.failure == RowFailure::none) {
      answer.failure = RowFailure::protocol_error;
      answer.message = fmt::format("the response lacks the vector of text {}", texts_.size());
    }
  }
  answer.texts = texts_;
}

}  // namespace batchllm
