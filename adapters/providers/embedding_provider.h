// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/json_provider.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm {

// What a response said besides its vectors.
struct EmbeddingReply : ErrorReply {
  Usage usage;
};

// What every dialect of embeddings has in common: one request with the texts of many rows, one
// response with their vectors. A dialect is a class that says where requests go, what stands around
// the texts (head_, tail_) and where in a response the vectors are.
//
// An answer's texts are vectors in base64 (core/float_vector.h), in the order of the rows.
class EmbeddingProvider : public JsonProvider {
 public:
  // The row's part of a request: the prompt's last message.
  void encode(const Prompt& prompt, std::string& body) const override;
  void join(std::span<const std::string_view> parts, std::string& body) const override;

  // Nothing is said to a vector.
  void append_turns(std::string& /*body*/,
                    std::string_view /*answer*/,
                    std::string_view /*request*/) const override {}

  Answer decode(HttpResponse& response) override;

 protected:
  explicit EmbeddingProvider(ModelRequest request) : JsonProvider(std::move(request)) {}

  // Writes a row's part: its text as a JSON string unless the dialect says otherwise.
  virtual void write_part(std::string_view text, std::string& part) const;

  // Takes what matters out of one member of the response's object. False: it cannot be read.
  virtual bool read_member(std::string_view key,
                           wire::ondemand::value value,
                           EmbeddingReply& reply) = 0;

  // Takes the vector of a row, an array of numbers or a string of base64. False: it is none.
  bool take_vector(wire::ondemand::value value, std::size_t row);

  // Takes an array of vectors in the order of the rows. False: it is none.
  bool take_vectors(wire::ondemand::value value);

  // Writes --dimensions, when given, under the name that the traits say.
  void add_dimensions(std::string& object) const;

 private:
  struct Vector {
    std::string_view given;  // in the response's own base64
    std::size_t begin = 0;   // else in base64_
    std::size_t size = 0;
  };

  bool take_numbers(wire::ondemand::value value, Vector& vector);
  void judge(const EmbeddingReply& reply, Answer& answer);

  std::vector<Vector> vectors_;
  std::string base64_;
  std::vector<std::string_view> texts_;
  std::size_t dimensions_ = 0;  // of the vector read last
  std::vector<float> numbers_;
  std::string bytes_;
};

}  // namespace batchllm
