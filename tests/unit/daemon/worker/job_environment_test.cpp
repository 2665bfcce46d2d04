// SPDX-License-Identifier: Apache-2.0
#include "daemon/worker/job_environment.h"

#include "tests/support/catch.h"

using namespace batchllm;
using namespace batchllm::daemon;

namespace {

// An environment in which every variable is set.
std::optional<std::string> everything(const std::string& name) {
  return "value of " + name;
}

}  // namespace

TEST_CASE("a job does not learn variables that are no provider's", "[worker][keys]") {
  RunOrder order;
  order.variables = {"MY_KEY"};
  const EnvironmentLookup lookup =
      job_environment(order, ModelCatalog::built_in(), false, &everything);
  for (const std::string name : {"PATH",
                                 "AWS_SECRET_ACCESS_KEY",
                                 "HOME",
                                 "MY_KEY_OTHER",
                                 "MY_KE",
                                 "OPENAI_API_KEY2",
                                 "_FILE",
                                 ""}) {
    CAPTURE(name);
    CHECK_FALSE(lookup(name));
  }
  for (const std::string name : {"OPENAI_API_KEY",
                                 "OPENAI_API_KEY_FILE",
                                 "OPENAI_BASE_URL",
                                 "GROQ_API_KEY",
                                 "CREDENTIALS_DIRECTORY",
                                 "MY_KEY",
                                 "MY_KEY_FILE"}) {
    CAPTURE(name);
    CHECK(lookup(name) == "value of " + name);
  }
}

TEST_CASE("a job of the daemon's own user may name any variable", "[worker][keys]") {
  RunOrder order;
  order.trusts_environment = true;
  CHECK(job_environment(order, ModelCatalog::built_in(), false, &everything)("MY_OWN") ==
        "value of MY_OWN");
}

TEST_CASE("a key that came with the order stands before the environment", "[worker][keys]") {
  RunOrder order;
  order.keys = {{"OPENAI_API_KEY", "from the vault"}, {"BATCHLLM_REQUEST_KEY", "brought"}};
  const EnvironmentLookup lookup =
      job_environment(order, ModelCatalog::built_in(), false, &everything);
  CHECK(lookup("OPENAI_API_KEY") == "from the vault");
  CHECK(lookup("BATCHLLM_REQUEST_KEY") == "brought");
}

TEST_CASE("an order keeps what its job may know on its way to the worker", "[worker][keys]") {
  RunOrder order;
  order.job_id = "job_a";
  order.variables = {"MY_KEY", "OTHER"};
  order.trusts_environment = true;
  const auto read = std::get<RunOrder>(parse_worker_message(worker_message_line(order)));
  CHECK(read.variables == order.variables);
  CHECK(read.trusts_environment);
}

TEST_CASE("a job that names its server gets no key of a provider, unless its user is ours",
          "[worker][keys]") {
  RunOrder order;
  order.variables = {"SHARED"};
  const auto lookup = job_environment(order, ModelCatalog::built_in(), true, &everything);
  CHECK_FALSE(lookup("OPENAI_API_KEY"));
  CHECK_FALSE(lookup("OPENAI_API_KEY_FILE"));
  CHECK_FALSE(lookup("CREDENTIALS_DIRECTORY"));
  CHECK(lookup("SHARED") == "value of SHARED");
  order.trusts_environment = true;
  CHECK(job_environment(order, ModelCatalog::built_in(), true, &everything)("OPENAI_API_KEY"));
}
