// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/model_request.h"
#include "core/provider.h"

#include <memory>

namespace batchllm {

// Converse of AWS Bedrock (POST {base_url}/model/{model}/converse). A key is sent as a bearer
// token; without one requests are signed with the credentials of adapters/aws/credentials.h, each
// as it is sent. Source: Amazon Bedrock API reference, "Converse".
//
// Parameters that are not members of a request or of its inferenceConfig are the model's own
// (additionalModelRequestFields), where the member that `effort` names goes, too. Throws
// Error(key_missing) when something is to be sent and there are no credentials.
std::unique_ptr<Provider> make_bedrock_provider(ModelRequest request);

// The environment with the region in it that AWS' own tools would use.
EnvironmentLookup with_aws_region(const EnvironmentLookup& environment);

}  // namespace batchllm
