// SPDX-License-Identifier: Apache-2.0
#include "adapters/stream/peeked_stream.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace batchllm {
namespace {

class PeekedStream final : public ByteStream {
 public:
  PeekedStream(std::string head, std::unique_ptr<ByteStream> rest)
      : head_(std::move(head)),
        rest_(std::move(rest)) {}

  std::size_t read(char* buffer, std::size_t capacity) override {
    if (given_ == head_.size()) {
      return rest_->read(buffer, capacity);
    }
    const std::size_t count = std::min(capacity, head_.size() - given_);
    std::memcpy(buffer, head_.data() + given_, count);
    given_ += count;
    return count;
  }

  void skip_to(std::uint64_t offset) override {
    if (offset <= head_.size() && offset >= given_) {
      given_ = static_cast<std::size_t>(offset);
      return;
    }
    given_ = head_.size();
    rest_->skip_to(offset);
  }

  std::optional<double> fraction_read() const override { return rest_->fraction_read(); }

  std::optional<PrefixDigest> prefix_digest() const override { return rest_->prefix_digest(); }

  const std::string& name() const override { return rest_->name(); }

  const std::string& compression() const override { return rest_->compression(); }

  const std::string& encoding() const override { return rest_->encoding(); }

 private:
  std::string head_;
  std::size_t given_ = 0;
  std::unique_ptr<ByteStream> rest_;
};

}  // namespace

std::string read_up_to(ByteStream& stream, std::size_t wanted) {
  std::string head(wanted, '\0');
  std::size_t have = 0;
  while (have < wanted) {
    const std::size_t count = stream.read(head.data() + have, wanted - have);
    if (count == 0) {
      break;
    }
    have += count;
  }
  head.resize(have);
  return head;
}

std::unique_ptr<ByteStream> with_head(std::string head, std::unique_ptr<ByteStream> rest) {
  return std::make_unique<PeekedStream>(std::move(head), std::move(rest));
}

}  // namespace batchllm
