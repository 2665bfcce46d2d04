// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/job_event.h"
#include "core/job_view.h"
#include "core/json_document.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// Reads what job_event_document() writes. Throws Error(job_corrupt).
JobEvent parse_job_event_document(std::string_view document);
JobEvent parse_job_event_document(const JsonNode& document);

// What is known of a job, as JSON by its place in the API's job object: "rows.ok" -> "3",
// "state" -> "\"succeeded\"". What there is none of is "null".
using JobFacts = std::map<std::string, std::string>;

// Everything that the events of a job tell.
JobFacts job_facts(const JobView& view);

// The same out of a job object of the API.
JobFacts job_facts(const JsonNode& job);

struct FactDifference {
  std::string fact;
  std::string replayed;
  std::string stored;

  bool operator==(const FactDifference&) const = default;
};

// Where the events tell something else than what is stored. `stored` decides what is compared.
std::vector<FactDifference> compare_facts(const JobFacts& replayed, const JobFacts& stored);

}  // namespace batchllm
