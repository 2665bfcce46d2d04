// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/model_request.h"
#include "core/provider.h"

#include <memory>
#include <string_view>
#include <vector>

namespace batchllm {

// How a dialect tells which models there are: GET of its usual address (for a model named "m") with
// another end, answered with an array, or an object whose member `list` is one. Where it comes in
// parts, the member `next` of an answer is what the parameter `after` asks for the part behind it
// with; a member `has_more` that is false says that there is none.
struct ModelListForm {
  std::string_view usual_end;
  std::string_view end;  // instead, with its query; empty: it has no such list
  std::string_view list;
  std::string_view name;       // member of an element
  std::string_view prefix;     // of every name, and no part of it
  std::string_view next = {};  // empty: all comes at once
  std::string_view after = {};
};

// A way of speaking to models over HTTP. Which provider speaks it, and where, is data
// (adapters/providers/model_catalog.h).
struct Dialect {
  std::string_view name;   // `type` of a provider in share/models.toml and in the configuration
  std::string_view title;  // for people
  std::unique_ptr<Provider> (*make)(ModelRequest request);
  ModelListForm model_list;

  // Where variables of its base URLs are looked up beside the environment; nullptr: nowhere.
  EnvironmentLookup (*with_defaults)(const EnvironmentLookup& environment) = nullptr;
};

// How a dialect turns many texts into vectors with one request.
struct EmbeddingDialect {
  std::string_view name;   // of the dialect
  std::string_view title;  // for people
  std::unique_ptr<Provider> (*make)(ModelRequest request);
};

// nullptr when there is none of that name: it has no embeddings.
const EmbeddingDialect* find_embedding_dialect(std::string_view name) noexcept;

std::vector<std::string> embedding_dialect_names();

// nullptr when there is none of that name.
const Dialect* find_dialect(std::string_view name) noexcept;

std::vector<std::string> dialect_names();

}  // namespace batchllm
