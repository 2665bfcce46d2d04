// SPDX-License-Identifier: Apache-2.0
#include "adapters/aws/credentials.h"

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/redaction.h"
#include "core/text.h"
#include "core/time_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace batchllm::aws {
namespace {

constexpr std::int64_t k_before_expiry_ms = 5 * 60'000;
constexpr std::int64_t k_between_tries_ms = 60'000;
constexpr std::size_t k_largest_file = std::size_t{1} << 20;

std::string value_or_empty(const EnvironmentLookup& environment, const std::string& name) {
  return environment ? environment(name).value_or("") : "";
}

// The text of a file; empty when it cannot be read.
std::string text_of_file(const std::string& path) {
  try {
    return path.empty() ? "" : read_file(path, k_largest_file);
  } catch (const Error&) {
    return "";
  }
}

std::string file_of(const EnvironmentLookup& environment,
                    const std::string& variable,
                    const std::string& usual) {
  const std::string chosen = value_or_empty(environment, variable);
  const std::string home = value_or_empty(environment, "HOME");
  return !chosen.empty() ? chosen : home.empty() ? "" : home + usual;
}

std::string credentials_file(const EnvironmentLookup& environment) {
  return file_of(environment, "AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials");
}

std::string config_file(const EnvironmentLookup& environment) {
  return file_of(environment, "AWS_CONFIG_FILE", "/.aws/config");
}

std::string profile_of(const EnvironmentLookup& environment) {
  for (const char* name : {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"}) {
    if (std::string profile = value_or_empty(environment, name); !profile.empty()) {
      return profile;
    }
  }
  return "default";
}

// A setting of a profile, in the file of credentials or that of everything else.
std::optional<std::string> setting_of(const EnvironmentLookup& environment,
                                      const std::string& profile,
                                      const std::string& name) {
  if (auto value = profile_setting(text_of_file(credentials_file(environment)), profile, name)) {
    return value;
  }
  const std::string config = text_of_file(config_file(environment));
  if (auto value = profile_setting(config, "profile " + profile, name)) {
    return value;
  }
  return profile == "default" ? profile_setting(config, profile, name) : std::nullopt;
}

std::optional<Credentials> credentials_of_json(const std::string& json) {
  const auto text = [&json](const char* name) {
    const auto value = find_in_json(json, name);
    return value && !value->is_null ? value->text : std::string();
  };
  Credentials found{text(".AccessKeyId"), text(".SecretAccessKey"), text(".Token"), {}};
  if (const auto expires = parse_rfc3339(text(".Expiration"))) {
    found.expires_at_ms = *expires;
  }
  return found.access_key_id.empty() || found.secret_access_key.empty()
             ? std::nullopt
             : std::optional(std::move(found));
}

// Credentials are asked for in the clear only where nobody else listens.
bool is_trusted(std::string_view origin) {
  constexpr std::array<std::string_view, 6> k_hosts = {
      "localhost", "127.0.0.1", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};
  if (origin.starts_with("https://")) {
    return true;
  }
  constexpr std::string_view k_scheme = "http://";
  if (!origin.starts_with(k_scheme)) {
    return false;
  }
  const std::string_view host = origin.substr(k_scheme.size());
  return std::any_of(k_hosts.begin(), k_hosts.end(), [host](std::string_view trusted) {
    return host.starts_with(trusted) &&
           (host.size() == trusted.size() || host[trusted.size()] == ':');
  });
}

}  // namespace

std::optional<std::string> profile_setting(const std::string& text,
                                           const std::string& section,
                                           const std::string& name) {
  bool is_inside = false;
  std::optional<std::string> found;
  for (const std::string& line : split(text, '\n')) {
    const std::string_view content = trim(line);
    if (content.empty() || content.front() == '#' || content.front() == ';') {
      continue;
    }
    if (content.front() == '[') {
      const std::string_view inside = content.substr(1, content.find(']') - 1);
      std::string words;
      for (const std::string& word : split(inside, ' ')) {
        words += trim(word).empty() ? "" : (words.empty() ? "" : " ") + std::string(trim(word));
      }
      is_inside = words == section;
      continue;
    }
    const auto equals = content.find('=');
    const bool is_nested = line.front() == ' ' || line.front() == '\t';  // of the setting before
    if (is_inside && !is_nested && equals != std::string_view::npos &&
        trim(content.substr(0, equals)) == name) {
      found = std::string(trim(content.substr(equals + 1)));
    }
  }
  return found;
}

std::optional<std::string> find_region(const EnvironmentLookup& environment) {
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (std::string region = value_or_empty(environment, name); !region.empty()) {
      return region;
    }
  }
  return setting_of(environment, profile_of(environment), "region");
}

const Credentials& CredentialChain::current(std::int64_t now_ms) {
  const bool holds = is_found_ && (!credentials_.expires_at_ms ||
                                   now_ms < *credentials_.expires_at_ms - k_before_expiry_ms);
  if (holds || (is_found_ && now_ms < next_try_ms_)) {
    return credentials_;
  }
  next_try_ms_ = now_ms + k_between_tries_ms;
  looked_in_.clear();
  if (auto found = find()) {
    credentials_ = std::move(*found);
    is_found_ = true;
  } else if (!is_found_) {
    throw Error(ErrorCode::key_missing,
                fmt::format("no AWS credentials: looked in {}{}",
                            name_list(looked_in_, looked_in_.size()),
                            remark_),
                "export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, as `aws configure "
                "export-credentials --format env` prints them");
  }
  return credentials_;
}

std::optional<Credentials> CredentialChain::find() {
  for (const auto source : {&CredentialChain::from_environment,
                            &CredentialChain::from_profile,
                            &CredentialChain::from_container,
                            &CredentialChain::from_machine}) {
    if (auto found = (this->*source)()) {
      remember_secret(found->secret_access_key);
      remember_secret(found->session_token);
      return found;
    }
  }
  return std::nullopt;
}

std::optional<Credentials> CredentialChain::from_environment() {
  looked_in_.emplace_back("AWS_ACCESS_KEY_ID");
  Credentials found{value_or_empty(environment_, "AWS_ACCESS_KEY_ID"),
                    value_or_empty(environment_, "AWS_SECRET_ACCESS_KEY"),
                    value_or_empty(environment_, "AWS_SESSION_TOKEN"),
                    {}};
  return found.access_key_id.empty() || found.secret_access_key.empty()
             ? std::nullopt
             : std::optional(std::move(found));
}

std::optional<Credentials> CredentialChain::from_profile() {
  const std::string profile = profile_of(environment_);
  const auto setting = [&](const char* name) {
    return setting_of(environment_, profile, name).value_or("");
  };
  looked_in_.push_back(fmt::format("profile {} of {} and {}",
                                   printable(profile),
                                   credentials_file(environment_),
                                   config_file(environment_)));
  Credentials found{setting("aws_access_key_id"),
                    setting("aws_secret_access_key"),
                    setting("aws_session_token"),
                    {}};
  if (!found.access_key_id.empty() && !found.secret_access_key.empty()) {
    return found;
  }
  for (const char* name : {"sso_session", "sso_start_url", "role_arn", "credential_process"}) {
    if (!setting(name).empty()) {
      remark_ = fmt::format("; the profile has {}, which is not read", name);
    }
  }
  return std::nullopt;
}

std::optional<Credentials> CredentialChain::from_container() {
  if (!ask_) {
    return std::nullopt;
  }
  std::string uri = value_or_empty(environment_, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  const std::string relative =
      value_or_empty(environment_, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  if (!relative.empty()) {
    uri = "http://169.254.170.2" + relative;
  }
  const auto host = uri.find("://");
  if (host == std::string::npos) {
    return std::nullopt;
  }
  const auto path = std::min(uri.find('/', host + 3), uri.size());
  const std::string origin = uri.substr(0, path);
  looked_in_.push_back("the container's " + origin);
  if (!is_trusted(origin)) {
    remark_ = "; that is not asked over http";
    return std::nullopt;
  }
  std::string token = value_or_empty(environment_, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (const std::string file =
          value_or_empty(environment_, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
      !file.empty()) {
    token = std::string(trim(text_of_file(file)));
  }
  MetadataHeaders headers;
  if (!token.empty()) {
    headers.emplace_back("Authorization", token);
  }
  const std::string target = uri.substr(path);
  return credentials_of_json(ask_(origin, "GET", target.empty() ? "/" : target, headers));
}

std::optional<Credentials> CredentialChain::from_machine() {
  if (!ask_) {
    return std::nullopt;
  }
  if (equals_ignoring_case(value_or_empty(environment_, "AWS_EC2_METADATA_DISABLED"), "true")) {
    return std::nullopt;
  }
  std::string origin = value_or_empty(environment_, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
  origin = origin.empty() ? "http://169.254.169.254" : origin;
  while (origin.ends_with('/')) {
    origin.pop_back();
  }
  looked_in_.push_back("this machine's role (" + origin + ")");
  const std::string token =
      ask_(origin, "PUT", "/latest/api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}});
  if (token.empty()) {
    return std::nullopt;
  }
  const MetadataHeaders headers = {{"X-aws-ec2-metadata-token", std::string(trim(token))}};
  const std::string folder = "/latest/meta-data/iam/security-credentials/";
  const std::string roles = ask_(origin, "GET", folder, headers);
  const std::string_view role = trim(std::string_view(roles).substr(0, roles.find('\n')));
  return role.empty()
             ? std::nullopt
             : credentials_of_json(ask_(origin, "GET", folder + percent_encoded(role), headers));
}

}  // namespace batchllm::aws
