// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace batchllm::files {

// SHA-256 of bytes that come in pieces. Not thread-safe.
class Sha256 {
 public:
  Sha256();

  void update(std::string_view bytes);

  // The digest in 64 lower-case hexadecimal digits. Once: nothing may be added after it.
  std::string finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };

  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

// True for 64 lower-case hexadecimal digits.
bool is_sha256(std::string_view text) noexcept;

}  // namespace batchllm::files
