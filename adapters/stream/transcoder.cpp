// SPDX-License-Identifier: Apache-2.0
#include "adapters/stream/transcoder.h"

#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace batchllm {
namespace {

constexpr std::size_t k_block = std::size_t{256} << 10;

const iconv_t k_no_converter = reinterpret_cast<iconv_t>(-1);  // NOLINT: iconv's own way to say it

}  // namespace

Transcoder::Transcoder(const std::string& encoding, std::string input)
    : converter_(iconv_open("UTF-8", encoding.c_str())),
      encoding_(encoding),
      input_(std::move(input)),
      block_(k_block) {
  if (converter_ == k_no_converter) {
    const auto nearest = nearest_name(encoding,
                                      {"utf-8",
                                       "utf-16",
                                       "utf-16le",
                                       "utf-16be",
                                       "latin1",
                                       "iso-8859-1",
                                       "iso-8859-15",
                                       "windows-1252",
                                       "cp1252",
                                       "cp1251",
                                       "cp437",
                                       "shift_jis",
                                       "euc-jp",
                                       "gb18030",
                                       "gbk",
                                       "big5",
                                       "koi8-r"});
    throw Error(ErrorCode::usage,
                fmt::format("unknown encoding {} in --encoding", one_line(encoding, 60)),
                nearest
                    ? fmt::format("did you mean {}? `iconv -l` lists all", *nearest)
                    : "`iconv -l` lists all; common ones are latin1, windows-1252 and utf-16le");
  }
}

Transcoder::~Transcoder() {
  iconv_close(converter_);
}

bool Transcoder::refill(std::string& head, RawBytes& bytes) {
  std::copy(block_.begin() + static_cast<std::ptrdiff_t>(begin_),
            block_.begin() + static_cast<std::ptrdiff_t>(end_),
            block_.begin());
  end_ -= begin_;
  begin_ = 0;
  std::size_t count = std::min(head.size(), block_.size() - end_);
  if (count != 0) {
    std::memcpy(block_.data() + end_, head.data(), count);
    head.erase(0, count);
  } else {
    count = bytes.read(block_.data() + end_, block_.size() - end_);
  }
  end_ += count;
  ended_ = count == 0;
  return !ended_;
}

std::size_t Transcoder::read(std::string& head,
                             RawBytes& bytes,
                             char* buffer,
                             std::size_t capacity) {
  bool incomplete = false;  // a character's first bytes are all that waits
  while (true) {
    if ((begin_ == end_ || incomplete) && !ended_) {
      refill(head, bytes);
      incomplete = false;
    }
    if (ended_ && begin_ == end_) {
      // What a stateful encoding still holds.
      char* out = buffer;
      std::size_t room = capacity;
      iconv(converter_, nullptr, nullptr, &out, &room);
      return capacity - room;
    }
    char* in = block_.data() + begin_;
    std::size_t left = end_ - begin_;
    char* out = buffer;
    std::size_t room = capacity;
    const std::size_t converted = iconv(converter_, &in, &left, &out, &room);
    const int error = converted == static_cast<std::size_t>(-1) ? errno : 0;
    offset_ += (end_ - begin_) - left;
    begin_ = end_ - left;
    if (room != capacity) {
      // An error that follows is met again by the next call.
      return capacity - room;
    }
    if (error == EILSEQ) {
      fail("is not a character");
    }
    if (error == EINVAL && ended_) {
      fail("begins a character that the end of the input cuts off");
    }
    incomplete = error == EINVAL;
  }
}

void Transcoder::fail(const char* what) const {
  throw Error(ErrorCode::input_unreadable,
              fmt::format("{} is not {}: byte {} (0x{:02X}) {}",
                          input_,
                          encoding_,
                          offset_,
                          static_cast<unsigned char>(block_[begin_]),
                          what),
              "pass the file's own encoding with --encoding, for example --encoding windows-1252")
      .with_detail("byte", std::to_string(offset_));
}

}  // namespace batchllm
