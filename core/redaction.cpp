// SPDX-License-Identifier: Apache-2.0
#include "core/redaction.h"

#include "core/mutex.h"
#include "core/secret.h"
#include "core/text.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <vector>

namespace batchllm {
namespace {

constexpr std::string_view k_mask = "***";

// What a secret begins with, and how many characters must follow for it to be one.
struct SecretShape {
  std::string_view beginning;
  std::size_t least = 16;
};

constexpr std::array k_shapes = {
    SecretShape{"sk-"},    // OpenAI, Anthropic, OpenRouter, DeepSeek
    SecretShape{"gsk_"},   // Groq
    SecretShape{"xai-"},   // xAI
    SecretShape{"AIza"},   // Google
    SecretShape{"hf_"},    // Hugging Face
    SecretShape{"r8_"},    // Replicate
    SecretShape{"pplx-"},  // Perplexity
    SecretShape{"nvapi-"},
    SecretShape{"ghp_"},  // GitHub
    SecretShape{"github_pat_"},
    SecretShape{"AKIA", 12},  // AWS
    SecretShape{"Bearer ", 8},
    SecretShape{"bearer ", 8},
};

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// The characters of tokens after RFC 6750.
bool is_token(char c) {
  return is_alphanumeric(c) || std::string_view("-._~+/=").find(c) != std::string_view::npos;
}

std::size_t token_length(std::string_view text) {
  const auto end = std::find_if_not(text.begin(), text.end(), &is_token);
  return static_cast<std::size_t>(end - text.begin());
}

// A secret in a text: its length, of which the first `shown` characters tell what it was.
struct Masked {
  std::size_t shown = 0;
  std::size_t length = 0;  // 0: none
};

// The user and password of a URL: what stands between "://" and "@".
Masked user_in_url(std::string_view text) {
  constexpr std::string_view k_scheme_end = "://";
  if (!text.starts_with(k_scheme_end)) {
    return {};
  }
  const auto end = text.find_first_of("@/ \t\n\"'", k_scheme_end.size());
  const bool is_user = end != std::string_view::npos && text[end] == '@';
  return is_user ? Masked{k_scheme_end.size(), end} : Masked{};
}

// The secrets that this process has come by. It lives as long as the process, since who redacts may
// be anywhere in it.
class KnownSecrets {
 public:
  void add(std::string_view text) {
    const MutexLock lock(mutex_);
    const bool is_known = std::any_of(
        known_.begin(), known_.end(), [text](const Secret& one) { return one.reveal() == text; });
    if (is_known || known_.size() >= k_most) {
      return;
    }
    // The longest first: one may be part of another.
    const auto place = std::find_if(known_.begin(), known_.end(), [text](const Secret& one) {
      return one.reveal().size() < text.size();
    });
    known_.emplace(place, text);
    count_.store(known_.size(), std::memory_order_release);
  }

  // The length of the known secret that `text` begins with; 0: none.
  std::size_t length_at(std::string_view text) {
    const MutexLock lock(mutex_);
    for (const Secret& one : known_) {
      if (text.starts_with(one.reveal())) {
        return one.reveal().size();
      }
    }
    return 0;
  }

  bool empty() const noexcept { return count_.load(std::memory_order_acquire) == 0; }

 private:
  static constexpr std::size_t k_most = 1000;

  Mutex mutex_;
  std::vector<Secret> known_ BATCHLLM_GUARDED_BY(mutex_);
  std::atomic<std::size_t> count_{0};
};

KnownSecrets& known_secrets() {
  static KnownSecrets secrets;
  return secrets;
}

// The secret that begins at `at`.
Masked secret_at(std::string_view text, std::size_t at) {
  const auto rest = text.substr(at);
  const bool begins_word = at == 0 || !is_alphanumeric(text[at - 1]);
  for (const SecretShape& shape : k_shapes) {
    if (begins_word && rest.starts_with(shape.beginning)) {
      const auto length = token_length(rest.substr(shape.beginning.size()));
      return length < shape.least ? Masked{}
                                  : Masked{shape.beginning.size(), shape.beginning.size() + length};
    }
  }
  return user_in_url(rest);
}

}  // namespace

void remember_secret(std::string_view text) {
  constexpr std::size_t k_shortest = 6;  // what is shorter stands in many words
  if (text.size() < k_shortest) {
    return;
  }
  known_secrets().add(text);
  if (const std::string in_url = percent_encoded(text); in_url != text) {
    known_secrets().add(in_url);
  }
}

std::string redacted(std::string_view text) {
  const bool knows_some = !known_secrets().empty();
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (const auto known = knows_some ? known_secrets().length_at(text.substr(at)) : 0;
        known != 0) {
      out += k_mask;
      at += known;
      continue;
    }
    const Masked found = secret_at(text, at);
    if (found.length == 0) {
      out += text[at];
      ++at;
    } else {
      out.append(text.substr(at, found.shown)).append(k_mask);
      at += found.length;
    }
  }
  return out;
}

}  // namespace batchllm
