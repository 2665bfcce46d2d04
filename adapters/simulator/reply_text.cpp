// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/reply_text.h"

#include "adapters/simulator/random_draw.h"
#include "core/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <iterator>
#include <utility>

namespace batchllm::simulator {
namespace {

constexpr std::int64_t k_first_created = 1'767'225'600;  // 2026-01-01; `created` is made up too
constexpr std::uint64_t k_created_span = 86'400ULL * 180;
constexpr std::size_t k_most_events = 64;

constexpr std::array<std::string_view, 8> k_models = {
    "gpt-4o-mini",
    "gpt-4o",
    "gpt-4.1-mini",
    "gpt-4.1",
    "gpt-5.4-mini",
    "gpt-3.5-turbo",
    "text-embedding-3-small",
    "text-embedding-3-large",
};

void append_hex(std::string& out, std::uint64_t number) {
  std::array<char, 16> digits;
  for (std::size_t i = digits.size(); i-- > 0; number >>= 4U) {
    digits[i] = "0123456789abcdef"[number & 15U];
  }
  out.append(digits.data(), digits.size());
}

void append_id(std::string& out, std::uint64_t identity) {
  append_hex(out, mix(identity, 11));
  append_hex(out, mix(identity, 12));
}

// `{"id":…,"object":…,"created":…,"model":…`, which every answer and every event begins with.
void append_head(std::string& out, const Completion& completion, std::string_view object) {
  out.append(R"({"id":"chatcmpl-)");
  append_id(out, completion.identity);
  out.append(R"(","object":")").append(object).append(R"(","created":)");
  append_integer(
      out,
      k_first_created + static_cast<std::int64_t>(index_draw(completion.identity, k_created_span)));
  out.append(R"(,"model":)");
  append_json_string(out, completion.model);
  out.append(R"(,"service_tier":"default","system_fingerprint":"fp_simulator")");
}

void append_usage(std::string& out, const Completion& completion) {
  out.append(R"("usage":{"prompt_tokens":)");
  append_integer(out, completion.prompt_tokens);
  out.append(R"(,"completion_tokens":)");
  append_integer(out, completion.completion_tokens);
  out.append(R"(,"total_tokens":)");
  append_integer(out, completion.prompt_tokens + completion.completion_tokens);
  out.append(R"(,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},)"
             R"("completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,)"
             R"("accepted_prediction_tokens":0,"rejected_prediction_tokens":0}})");
}

// Cuts the next word off `text`, with the spaces before it.
std::string_view next_word(std::string_view& text) {
  const std::size_t word = text.find_first_not_of(" \n");
  const std::size_t end = std::min(text.find_first_of(" \n", word), text.size());
  const std::string_view piece = text.substr(0, end);
  text.remove_prefix(end);
  return piece;
}

class EventWriter {
 public:
  EventWriter(std::string& out,
              const Completion& completion,
              bool null_usage,
              std::vector<std::size_t>& ends)
      : out_(out),
        completion_(completion),
        tail_(null_usage ? R"(}],"usage":null})" : "}]}"),
        ends_(ends) {}

  // An event whose delta has `name` (none when empty) and whose finish_reason is `reason`.
  void delta(std::string_view name, std::string_view text, std::string_view reason) {
    begin();
    out_.append(R"(,"choices":[{"index":0,"delta":{)");
    if (name == "role") {
      out_.append(R"("role":"assistant","content":"","refusal":null)");
    } else if (!name.empty()) {
      append_json_string(out_, name);
      out_.push_back(':');
      append_json_string(out_, text);
    }
    out_.append(R"(},"logprobs":null,"finish_reason":)");
    append_json_string(out_, reason);
    out_.append(tail_);
    end();
  }

  void usage() {
    begin();
    out_.append(R"(,"choices":[],)");
    append_usage(out_, completion_);
    out_.push_back('}');
    end();
  }

  void done() {
    out_.append("data: [DONE]");
    end();
  }

 private:
  void begin() {
    out_.append("data: ");
    append_head(out_, completion_, "chat.completion.chunk");
  }

  void end() {
    out_.append("\n\n");
    ends_.push_back(out_.size());
  }

  std::string& out_;
  const Completion& completion_;
  std::string_view tail_;
  std::vector<std::size_t>& ends_;
};

std::vector<float> unit_vector(std::uint64_t bits, std::size_t dimensions) {
  std::vector<float> vector(dimensions);
  double squares = 0;
  for (std::size_t i = 0; i < dimensions; ++i) {
    const double number = unit_draw(mix(bits, i)) * 2.0 - 1.0;
    vector[i] = static_cast<float>(number);
    squares += number * number;
  }
  const auto scale = static_cast<float>(1.0 / std::sqrt(std::max(squares, 1e-30)));
  for (float& number : vector) {
    number *= scale;
  }
  return vector;
}

void append_base64(std::string& out, std::string_view bytes) {
  constexpr std::string_view k_digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group =
          (group << 8U) | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out.push_back(i + j > bytes.size() ? '=' : k_digits[(group >> (18U - 6U * j)) & 63U]);
    }
  }
}

void append_vector(std::string& out, const std::vector<float>& vector, bool base64) {
  if (base64) {
    static_assert(std::endian::native == std::endian::little, "base64 vectors are little-endian");
    out.push_back('"');
    append_base64(out,
                  {reinterpret_cast<const char*>(vector.data()), vector.size() * sizeof(float)});
    out.push_back('"');
    return;
  }
  char separator = '[';
  for (const float number : vector) {
    out.push_back(separator);
    fmt::format_to(std::back_inserter(out), "{}", number);
    separator = ',';
  }
  out.push_back(']');
}

}  // namespace

void append_completion(std::string& out, const Completion& completion) {
  append_head(out, completion, "chat.completion");
  out.append(R"(,"choices":[{"index":0,"message":{"role":"assistant","content":)");
  append_json_string(out, completion.content);
  out.append(R"(,"refusal":)");
  append_json_string(out, completion.refusal);
  out.append(R"(,"annotations":[]},"logprobs":null,"finish_reason":)");
  append_json_string(out, completion.finish_reason);
  out.append("}],");
  append_usage(out, completion);
  out.push_back('}');
}

void append_completion_events(std::string& out,
                              const Completion& completion,
                              bool include_usage,
                              std::vector<std::size_t>& ends) {
  EventWriter events(out, completion, include_usage, ends);
  events.delta("role", "", {});
  if (completion.refusal.data() != nullptr) {
    events.delta("refusal", completion.refusal, {});
  }
  std::string_view rest = completion.content;
  for (std::size_t i = 1; !rest.empty(); ++i) {
    const std::string_view word = i < k_most_events ? next_word(rest) : std::exchange(rest, {});
    events.delta("content", word, {});
  }
  events.delta("", "", completion.finish_reason);
  if (include_usage) {
    events.usage();
  }
  events.done();
}

void append_embeddings(std::string& out, const EmbeddingsRequest& request) {
  const bool large = request.model.find("large") != std::string_view::npos;
  const auto dimensions =
      static_cast<std::size_t>(request.dimensions.value_or(large ? 3072 : 1536));
  out.append(R"({"object":"list","data":[)");
  for (std::size_t i = 0; i < request.inputs.size(); ++i) {
    out.append(i == 0 ? "" : ",").append(R"({"object":"embedding","index":)");
    append_integer(out, static_cast<std::uint64_t>(i));
    out.append(R"(,"embedding":)");
    append_vector(out, unit_vector(request.inputs[i], dimensions), request.base64);
    out.push_back('}');
  }
  out.append(R"(],"model":)");
  append_json_string(out, request.model);
  const std::int64_t tokens = tokens_of_bytes(request.prompt_bytes);
  out.append(R"(,"usage":{"prompt_tokens":)");
  append_integer(out, tokens);
  out.append(R"(,"total_tokens":)");
  append_integer(out, tokens);
  out.append("}}");
}

void append_error(std::string& out,
                  std::string_view message,
                  std::string_view type,
                  std::string_view param,
                  std::string_view code) {
  const auto or_null = [](std::string_view text) {
    return text.empty() ? std::string_view{} : text;
  };
  out.append(R"({"error":{"message":)");
  append_json_string(out, message);
  out.append(R"(,"type":)");
  append_json_string(out, type);
  out.append(R"(,"param":)");
  append_json_string(out, or_null(param));
  out.append(R"(,"code":)");
  append_json_string(out, or_null(code));
  out.append("}}");
}

bool append_model(std::string& out, std::string_view id) {
  if (std::find(k_models.begin(), k_models.end(), id) == k_models.end()) {
    return false;
  }
  out.append(R"({"id":)");
  append_json_string(out, id);
  out.append(R"(,"object":"model","created":)");
  append_integer(out, k_first_created);
  out.append(R"(,"owned_by":"batchllm-simulator"})");
  return true;
}

void append_model_list(std::string& out) {
  out.append(R"({"object":"list","data":[)");
  for (std::size_t i = 0; i < k_models.size(); ++i) {
    out.append(i == 0 ? "" : ",");
    append_model(out, k_models[i]);
  }
  out.append("]}");
}

}  // namespace batchllm::simulator
