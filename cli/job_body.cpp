// SPDX-License-Identifier: Apache-2.0
#include "cli/job_body.h"

#include "adapters/job/job_encoder.h"
#include "adapters/job/job_inputs.h"
#include "adapters/job/job_model.h"
#include "adapters/job/job_steps.h"

#include <fmt/format.h>

#include <filesystem>

namespace batchllm {

void check_job_for_daemon(JobRecord& record, const JobSurroundings& surroundings) {
  name_models(record, surroundings.models);
  JobInputs inputs(record, "");
  const JobModel model = make_model(record.settings, surroundings, false);
  static_cast<void>(model.provider->endpoint());  // the address can be read
  const auto source = inputs.open_first();
  make_encoder(record, *source, model);
  JobSteps::open(record, *source, model, surroundings, false);
  const std::string& output = record.settings.output.path;
  if (!output.empty()) {
    record.output_path = std::filesystem::absolute(output).lexically_normal().string();
  }
}

std::vector<SubmittedInput> send_inputs(DaemonClient& client,
                                        const JobRecord& record,
                                        bool is_local,
                                        const std::string& temporary,
                                        const std::string& idempotency_key) {
  std::vector<SubmittedInput> inputs;
  for (const InputFingerprint& input : record.inputs) {
    if (is_local && input.path != temporary) {
      inputs.push_back({{}, input.path});
      continue;
    }
    const std::string key = idempotency_key.empty()
                                ? std::string()
                                : fmt::format("{}/input/{}", idempotency_key, inputs.size());
    const JsonNode file = client.upload(input.path, {}, key);
    inputs.push_back({std::string(file.find_string("id").value_or("")), {}});
  }
  return inputs;
}

}  // namespace batchllm
