// SPDX-License-Identifier: Apache-2.0
#include "adapters/files/sha256.h"

#include "core/error.h"

#include <fmt/format.h>

#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace batchllm::files {
namespace {

void check(int result) {
  if (result != 1) {
    throw Error(ErrorCode::internal, "OpenSSL cannot compute SHA-256");
  }
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const noexcept {
  EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  check(context_ != nullptr ? EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) : 0);
}

void Sha256::update(std::string_view bytes) {
  check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
}

std::string Sha256::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  check(EVP_DigestFinal_ex(context_.get(), digest.data(), &size));
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += fmt::format("{:02x}", digest.at(i));
  }
  return text;
}

bool is_sha256(std::string_view text) noexcept {
  constexpr std::size_t k_digits = 64;
  return text.size() == k_digits && std::all_of(text.begin(), text.end(), [](char digit) {
           return (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f');
         });
}

}  // namespace batchllm::files
