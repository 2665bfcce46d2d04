// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/json_provider.h"

#include <optional>
#include <string>
#include <string_view>

// What Gemini's conversations and its embeddings have in common.
namespace batchllm::gemini {

// "models/NAME", encoded for a URL; a model that names its collection ("tunedModels/x") keeps it.
std::string path_of(std::string_view model);

// Reads an error with its details: how long to wait, which quota is used up.
void read_error(wire::ondemand::value value, ErrorReply& reply);

// What an error means by Gemini's own words; nullopt: by the rules for all.
std::optional<RowFailure> failure_of(int status, const wire::ErrorBody& error);

}  // namespace batchllm::gemini
