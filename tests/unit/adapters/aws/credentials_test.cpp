// SPDX-License-Identifier: Apache-2.0
#include "adapters/aws/credentials.h"

#include "core/text.h"
#include "core/time_text.h"
#include "tests/support/catch.h"
#include "tests/support/raw_http_server.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <map>

using namespace batchllm;
using namespace batchllm::aws;

namespace {

using Variables = std::map<std::string, std::string>;

EnvironmentLookup lookup(Variables variables) {
  variables.emplace("AWS_EC2_METADATA_DISABLED", "true");
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

Credentials found_with(Variables variables) {
  return CredentialChain(lookup(std::move(variables)), &ask_metadata_server).current(0);
}

// Answers as IMDSv2 does, with credentials that expire at `expiration`.
RawHttpServer::Script machine(const std::string& expiration) {
  return [expiration, number = 0](const RawRequest& request) mutable {
    const std::string folder = "/latest/meta-data/iam/security-credentials/";
    if (request.head.starts_with("PUT /latest/api/token ")) {
      CHECK_THAT(request.head, ContainsSubstring("X-aws-ec2-metadata-token-ttl-seconds: 21600"));
      return RawReply{RawHttpServer::ok("tok"), RawReply::Then::keep};
    }
    CHECK_THAT(request.head, ContainsSubstring("X-aws-ec2-metadata-token: tok\r\n"));
    if (request.head.starts_with("GET " + folder + " ")) {
      return RawReply{RawHttpServer::ok("my role\n"), RawReply::Then::keep};
    }
    CHECK_THAT(request.head, ContainsSubstring("GET " + folder + "my%20role "));
    ++number;
    return RawReply{
        RawHttpServer::ok(R"({"Code":"Success","AccessKeyId":"A)" + std::to_string(number) +
                          R"(","SecretAccessKey":"s","Token":"t","Expiration":")" + expiration +
                          "\"}"),
        RawReply::Then::keep};
  };
}

}  // namespace

TEST_CASE("credentials are found where AWS' tools find them", "[aws]") {
  const ScratchFolder folder;
  folder.write(".aws/credentials",
               "[default]\naws_access_key_id = D\naws_secret_access_key=ds\n\n"
               "[ work ]\n# note\naws_access_key_id=W\naws_secret_access_key = w=s\n"
               "aws_session_token = wt\r\n");
  folder.write(".aws/config",
               "[default]\nregion = eu-west-1\n[profile work]\nregion=us-west-2\ns3 =\n"
               "  region = no\n[profile other]\naws_access_key_id=O\naws_secret_access_key=os\n");
  Variables variables = {{"HOME", folder.path("")}};
  CHECK(found_with(variables).access_key_id == "D");
  CHECK(find_region(lookup(variables)) == "eu-west-1");
  variables["AWS_PROFILE"] = "work";
  CHECK(found_with(variables).secret_access_key == "w=s");
  CHECK(found_with(variables).session_token == "wt");
  CHECK(find_region(lookup(variables)) == "us-west-2");
  variables["AWS_PROFILE"] = "other";
  CHECK(found_with(variables).access_key_id == "O");
  variables["AWS_DEFAULT_REGION"] = "ap-south-1";
  CHECK(find_region(lookup(variables)) == "ap-south-1");
  variables["AWS_ACCESS_KEY_ID"] = "E";
  CHECK(found_with(variables).access_key_id == "O");  // half of two
  variables["AWS_SECRET_ACCESS_KEY"] = "es";
  variables["AWS_SESSION_TOKEN"] = "et";
  CHECK(found_with(variables).access_key_id == "E");
  CHECK(found_with(variables).session_token == "et");
  CHECK_FALSE(find_region(lookup({})));
}

TEST_CASE("missing credentials are told with the places that were looked at", "[aws]") {
  const ScratchFolder folder;
  folder.write("config", "[profile work]\nsso_session = s\nrole_arn = arn:x\n");
  const auto error = thrown_error([&] {
    found_with({{"AWS_CONFIG_FILE", folder.path("config")}, {"AWS_PROFILE", "work"}});
  });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::key_missing);
  CHECK_THAT(error->message(), ContainsSubstring("AWS_ACCESS_KEY_ID"));
  CHECK_THAT(error->message(), ContainsSubstring("profile work"));
  CHECK_THAT(error->message(), ContainsSubstring("role_arn, which is not read"));
  CHECK_THAT(error->hint(), ContainsSubstring("export-credentials"));
  CHECK(thrown_error([] { CredentialChain({}, {}).current(0); }));
}

TEST_CASE("a container's role is asked for with its token", "[aws]") {
  std::string head;
  RawHttpServer server([&head](const RawRequest& request) {
    head = request.head;
    return RawReply{RawHttpServer::ok(R"({"AccessKeyId":"C","SecretAccessKey":"s","Token":null})"),
                    RawReply::Then::keep};
  });
  const ScratchFolder folder;
  Variables variables = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url() + "/get?id=1"},
                         {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "secret"}};
  CHECK(found_with(variables).access_key_id == "C");
  CHECK_THAT(head, ContainsSubstring("/get?id=1 HTTP/1.1"));
  CHECK_THAT(head, ContainsSubstring("Authorization: secret\r\n"));
  variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = folder.write("token", "from file\n");
  CHECK(found_with(variables).session_token.empty());
  CHECK_THAT(head, ContainsSubstring("Authorization: from file\r\n"));
  const auto error = thrown_error([] {
    found_with({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://evil.example/get"}});
  });
  REQUIRE(error);
  CHECK_THAT(error->message(), ContainsSubstring("is not asked over http"));
}

TEST_CASE("a machine's role is asked for again before its credentials expire", "[aws]") {
  RawHttpServer server(machine("1970-01-01T01:00:00Z"));
  constexpr std::int64_t k_minute_ms = 60'000;
  CredentialChain chain(lookup({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url() + "/"},
                                {"AWS_EC2_METADATA_DISABLED", "false"}}),
                        &ask_metadata_server);
  CHECK(chain.current(0).access_key_id == "A1");
  CHECK(chain.last().session_token == "t");
  CHECK(chain.current(54 * k_minute_ms).access_key_id == "A1");
  CHECK(chain.current(55 * k_minute_ms).access_key_id == "A2");
  CHECK(chain.current(55 * k_minute_ms + 1).access_key_id == "A2");  // once a minute
  CHECK(chain.current(56 * k_minute_ms).access_key_id == "A3");
}

TEST_CASE("credentials are kept when nobody answers any more", "[aws]") {
  bool is_up = true;
  const auto answers = machine("1970-01-01T01:00:00Z");
  RawHttpServer server([&is_up, answers](const RawRequest& request) mutable {
    return is_up ? answers(request)
                 : RawReply{"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", RawReply::Then::keep};
  });
  CredentialChain chain(lookup({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url()},
                                {"AWS_EC2_METADATA_DISABLED", "false"}}),
                        &ask_metadata_server);
  CHECK(chain.current(0).access_key_id == "A1");
  is_up = false;
  CHECK(chain.current(4'000'000).access_key_id == "A1");
}

TEST_CASE("an odd file of profiles is borne", "[aws]") {
  CHECK_FALSE(profile_setting("", "a", "b"));
  CHECK_FALSE(profile_setting("[", "a", "b"));
  CHECK_FALSE(profile_setting("[]\nb=1", "a", "b"));
  CHECK_FALSE(profile_setting("b=1\n[a", "x", "b"));
  CHECK_FALSE(profile_setting("=\n[a]\n=\nb\n", "a", "b"));
  CHECK(profile_setting("[a]\nb=1\nb=2", "a", "b") == "2");
  CHECK(profile_setting("[ profile   a ]\nb=", "profile a", "b") == "");
}
