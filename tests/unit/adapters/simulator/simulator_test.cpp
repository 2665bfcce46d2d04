// SPDX-License-Identifier: Apache-2.0
// The simulator over real sockets, spoken to by libcurl.
#include "adapters/simulator/simulator.h"

#include "adapters/simulator/fault.h"
#include "core/error.h"
#include "core/json_text.h"
#include "tests/support/catch.h"

#include <curl/curl.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

using namespace batchllm;

namespace {

constexpr std::string_view k_question =
    R"({"model":"m","messages":[{"role":"user","content":"Classify as bug or praise: it crashes"}]})";

// A simulator that serves from a thread of its own until the end of the scope.
class Running {
 public:
  explicit Running(const SimulatorSettings& settings)
      : simulator_(settings),
        thread_([this] { simulator_.run(); }) {}

  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  ~Running() { end(); }

  void end() {
    if (thread_.joinable()) {
      simulator_.stop();
      thread_.join();
    }
  }

  const std::string& url() const { return simulator_.base_url(); }

 private:
  Simulator simulator_;
  std::thread thread_;
};

// A folder of its own, removed at the end.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "simulator-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }

  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  ~Folder() { std::filesystem::remove_all(path_); }

  std::string file(std::string_view name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

struct Response {
  CURLcode code = CURLE_OK;
  long status = 0;
  std::string body;
};

class Client {
 public:
  Client() : easy_(curl_easy_init(), &curl_easy_cleanup) {
    set(CURLOPT_WRITEFUNCTION, &Client::take);
    set(CURLOPT_PROXY, "");
    set(CURLOPT_TIMEOUT_MS, 30'000L);
  }

  template <typename Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(easy_.get(), option, value);
  }

  Response post(const std::string& url, std::string_view body) {
    Response response;
    set(CURLOPT_WRITEDATA, &response.body);
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    set(CURLOPT_POSTFIELDS, body.data());
    response.code = curl_easy_perform(easy_.get());
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &response.status);
    return response;
  }

 private:
  static std::size_t take(const char* bytes, std::size_t size, std::size_t count, void* body) {
    static_cast<std::string*>(body)->append(bytes, size * count);
    return size * count;
  }

  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy_;
};

Response ask(const SimulatorSettings& settings, std::string_view body = k_question) {
  const Running running(settings);
  Client client;
  return client.post(running.url() + "/chat/completions", body);
}

SimulatorSettings with_fault(std::string_view fault) {
  SimulatorSettings settings;
  settings.faults = {simulator::parse_fault(fault)};
  return settings;
}

}  // namespace

TEST_CASE("answers travel over loopback, many on one connection", "[simulator]") {
  const Running running({});
  CHECK(running.url().substr(0, 17) == "http://127.0.0.1:");
  Client client;
  std::string first;
  for (int i = 0; i < 100; ++i) {
    const Response response = client.post(running.url() + "/chat/completions", k_question);
    REQUIRE(response.status == 200);
    first = first.empty() ? response.body : first;
    CHECK(response.body == first);
  }
}

TEST_CASE("answers come over a UNIX socket, which is gone at the end", "[simulator]") {
  const Folder folder;
  SimulatorSettings settings;
  settings.socket_path = folder.file("sim.sock");
  {
    const Running running(settings);
    CHECK(running.url() == "unix:" + settings.socket_path);
    CHECK_THROWS_AS(Simulator(settings), Error);  // taken
    Client client;
    client.set(CURLOPT_UNIX_SOCKET_PATH, settings.socket_path.c_str());
    CHECK(client.post("http://localhost/v1/chat/completions", k_question).status == 200);
  }
  CHECK_FALSE(std::filesystem::exists(settings.socket_path));
}

TEST_CASE("a spoilt answer arrives as a real one would", "[simulator]") {
  struct Case {
    std::string_view fault;
    CURLcode code;
  };

  const auto& c = GENERATE(values<Case>({
      {"reset:1", CURLE_RECV_ERROR},
      {"close:1", CURLE_GOT_NOTHING},
      {"truncated:1", CURLE_PARTIAL_FILE},
      {"garbage:1", CURLE_OK},
  }));
  CAPTURE(c.fault);
  CHECK(ask(with_fault(c.fault)).code == c.code);
}

TEST_CASE("a simulator that hangs can still be stopped", "[simulator]") {
  const Running running(with_fault("hang:1"));
  Client client;
  client.set(CURLOPT_TIMEOUT_MS, 50L);
  CHECK(client.post(running.url() + "/chat/completions", k_question).code ==
        CURLE_OPERATION_TIMEDOUT);
}

TEST_CASE("delayed and streamed answers arrive whole", "[simulator]") {
  SimulatorSettings settings;
  settings.latency = simulator::Latency::parse("5ms");
  const Response plain = ask(settings);
  CHECK(plain.status == 200);
  CHECK(is_json(plain.body));
  const Response streamed = ask(
      settings,
      R"({"model":"m","stream":true,"messages":[{"role":"user","content":"Say many words, one by one"}]})");
  CHECK(streamed.status == 200);
  CHECK_THAT(streamed.body, ContainsSubstring("data: [DONE]\n\n"));
}

TEST_CASE("a body of megabytes is answered", "[simulator]") {
  const std::string body = R"({"model":"m","messages":[{"role":"user","content":")" +
                           std::string(std::size_t{10} << 20, 'x') + R"("}]})";
  CHECK(ask({}, body).status == 200);
}

TEST_CASE("the log has one line for each request when the simulator has stopped", "[simulator]") {
  const Folder folder;
  SimulatorSettings settings;
  settings.log_path = folder.file("log.jsonl");
  settings.log_bodies = true;
  {
    const Running running(settings);
    Client client;
    for (int i = 0; i < 20; ++i) {
      CHECK(client.post(running.url() + "/chat/completions", k_question).status == 200);
    }
  }
  std::ifstream file(settings.log_path);
  std::string line;
  int count = 0;
  while (std::getline(file, line)) {
    CHECK(find_in_json(line, ".ordinal")->text == std::to_string(count + 1));
    CHECK(find_in_json(line, ".attempt")->text == std::to_string(count));
    CHECK(find_in_json(line, ".status")->text == "200");
    CHECK(find_in_json(line, ".user")->text == "Classify as bug or praise: it crashes");
    CHECK(find_in_json(line, ".body")->text == k_question);
    CHECK(find_in_json(line, ".connection")->text == "1");
    ++count;
  }
  CHECK(count == 20);
}

TEST_CASE("settings that cannot work are refused", "[simulator]") {
  SimulatorSettings everywhere;
  everywhere.host = "0.0.0.0";
  CHECK_THROWS_AS(Simulator(everywhere), Error);
  SimulatorSettings half_tls;
  half_tls.tls_certificate_path = "cert.pem";
  CHECK_THROWS_AS(Simulator(half_tls), Error);
  SimulatorSettings no_script;
  no_script.script_path = "/nonexistent/script.jsonl";
  CHECK_THROWS_AS(Simulator(no_script), Error);
  SimulatorSettings no_log;
  no_log.log_path = "/nonexistent/log.jsonl";
  CHECK_THROWS_AS(Simulator(no_log), Error);
  SimulatorSettings too_many;
  too_many.faults = {simulator::parse_fault("500:60%"), simulator::parse_fault("reset:60%")};
  CHECK_THROWS_AS(Simulator(too_many), Error);
}
