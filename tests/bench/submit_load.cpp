// SPDX-License-Identifier: Apache-2.0
// Sends requests to a service on a UNIX socket over connections that stay open, each with one
// request under way, and prints how long the answers took as JSON:
//   submit_load SOCKET REQUESTS CLIENTS SECONDS [RATE]
// REQUESTS holds them as they go over the wire, each behind a line with its length in bytes; they
// are sent in turn. With RATE, so many begin in a second whether or not those before are answered,
// and a time counts from when the request was due; without, each client sends the next when it has
// the last answer. One thread, so that it is never what limits the service.
#include <fmt/format.h>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Time = std::chrono::steady_clock::time_point;
using std::chrono::nanoseconds;

struct Plan {
  std::string socket;
  std::vector<std::string> requests;
  std::size_t clients = 1;
  double seconds = 1;
  double rate = 0;
};

// What came of it.
struct Record {
  std::vector<double> times_ms;
  std::size_t failed = 0;
  std::string first_failure;
};

std::vector<std::string> read_requests(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::string> requests;
  std::string length;
  while (std::getline(file, length)) {
    std::string request(std::stoul(length), '\0');
    if (!file.read(request.data(), static_cast<std::streamsize>(request.size()))) {
      throw std::runtime_error(fmt::format("{} ends within a request", path));
    }
    requests.push_back(std::move(request));
  }
  if (requests.empty()) {
    throw std::runtime_error(fmt::format("{} holds no requests", path));
  }
  return requests;
}

int connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    throw std::runtime_error("the socket's path is too long");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0 ||
      ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error(fmt::format("{}: {}", path, std::strerror(errno)));
  }
  return socket;
}

// The bytes of a whole response at the beginning of `text`; nullopt while some are missing.
std::optional<std::size_t> response_bytes(std::string_view text) {
  constexpr std::string_view k_length = "\r\nContent-Length: ";
  const auto head = text.find("\r\n\r\n");
  if (head == std::string_view::npos) {
    return std::nullopt;
  }
  std::size_t body = 0;
  const auto at = text.substr(0, head).find(k_length);
  if (at != std::string_view::npos) {
    std::from_chars(text.data() + at + k_length.size(), text.data() + head, body);
  }
  const std::size_t whole = head + 4 + body;
  return text.size() < whole ? std::nullopt : std::optional(whole);
}

class Client {
 public:
  explicit Client(const std::string& path) : socket_(connect_to(path)) {}

  int socket() const noexcept { return socket_; }

  bool is_busy() const noexcept { return is_busy_; }

  void send(const std::string& request, Time due) {
    is_busy_ = true;
    due_ = due;
    for (std::size_t sent = 0; sent < request.size();) {
      const ssize_t count =
          ::send(socket_, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
      if (count < 0) {
        throw std::runtime_error(fmt::format("send: {}", std::strerror(errno)));
      }
      sent += static_cast<std::size_t>(count);
    }
  }

  // Reads what has come; notes the answer when that is all of it.
  void receive(Record& record) {
    char block[16384];
    const ssize_t count = ::recv(socket_, block, sizeof block, 0);
    if (count <= 0) {
      throw std::runtime_error("the service closed a connection: " + answer_.substr(0, 300));
    }
    answer_.append(block, static_cast<std::size_t>(count));
    if (!response_bytes(answer_)) {
      return;
    }
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - due_;
    record.times_ms.push_back(took.count());
    if (answer_.compare(0, 10, "HTTP/1.1 2") != 0 && ++record.failed == 1) {
      record.first_failure = answer_.substr(0, 600);
    }
    answer_.clear();
    is_busy_ = false;
  }

 private:
  int socket_;
  std::string answer_;
  Time due_;
  bool is_busy_ = false;
};

class Load {
 public:
  explicit Load(const Plan& plan) : plan_(plan) {
    for (std::size_t i = 0; i < plan.clients; ++i) {
      Client& client = clients_.emplace_back(plan.socket);
      watched_.push_back({client.socket(), POLLIN, 0});
    }
  }

  // Sends until the time is over and everything is answered. Returns the seconds that it took.
  double run(Record& record) {
    const Time begin = std::chrono::steady_clock::now();
    end_ = begin + nanoseconds(std::llround(plan_.seconds * 1e9));
    next_due_ = begin;
    while (send_due() || is_waiting()) {
      wait();
      for (std::size_t i = 0; i < clients_.size(); ++i) {
        if (watched_[i].revents != 0) {
          clients_[i].receive(record);
        }
      }
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

 private:
  bool is_open_loop() const noexcept { return plan_.rate > 0; }

  bool is_waiting() const {
    return std::any_of(
        clients_.begin(), clients_.end(), [](const Client& client) { return client.is_busy(); });
  }

  // False: nothing is to be sent any more.
  bool send_due() {
    Time now = std::chrono::steady_clock::now();
    for (Client& client : clients_) {
      const Time due = is_open_loop() ? next_due_ : now;
      if (due >= end_ || due > now) {
        break;
      }
      if (client.is_busy()) {
        continue;
      }
      client.send(plan_.requests[next_++ % plan_.requests.size()], due);
      now = std::chrono::steady_clock::now();
      if (is_open_loop()) {
        next_due_ += nanoseconds(std::llround(1e9 / plan_.rate));
      }
    }
    return (is_open_loop() ? next_due_ : now) < end_;
  }

  void wait() {
    const auto now = std::chrono::steady_clock::now();
    const bool has_idle = std::any_of(
        clients_.begin(), clients_.end(), [](const Client& client) { return !client.is_busy(); });
    timespec patience{1, 0};
    if (is_open_loop() && has_idle && next_due_ < end_) {
      const auto left = std::max(nanoseconds(0), nanoseconds(next_due_ - now)).count();
      patience = {left / 1'000'000'000, left % 1'000'000'000};
    }
    if (::ppoll(watched_.data(), watched_.size(), &patience, nullptr) < 0 && errno != EINTR) {
      throw std::runtime_error(fmt::format("ppoll: {}", std::strerror(errno)));
    }
  }

  const Plan& plan_;
  std::deque<Client> clients_;
  std::vector<pollfd> watched_;
  std::size_t next_ = 0;
  Time end_;
  Time next_due_;
};

// The smallest time that so large a share of all does not exceed.
double quantile(const std::vector<double>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted.empty() ? 0 : sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

void print(Record& record, double seconds) {
  std::sort(record.times_ms.begin(), record.times_ms.end());
  fmt::print(R"({{"requests":{},"failed":{},"seconds":{:.6f},"p50_ms":{:.4f},"p95_ms":{:.4f},)"
             R"("p99_ms":{:.4f},"most_ms":{:.4f}}})"
             "\n",
             record.times_ms.size(),
             record.failed,
             seconds,
             quantile(record.times_ms, 0.5),
             quantile(record.times_ms, 0.95),
             quantile(record.times_ms, 0.99),
             quantile(record.times_ms, 1));
  if (record.failed > 0) {
    fmt::print(stderr, "{}\n", record.first_failure);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5 && argc != 6) {
    fmt::print(stderr, "usage: submit_load SOCKET REQUESTS CLIENTS SECONDS [RATE]\n");
    return 2;
  }
  try {
    Plan plan;
    plan.socket = argv[1];
    plan.requests = read_requests(argv[2]);
    plan.clients = std::stoul(argv[3]);
    plan.seconds = std::stod(argv[4]);
    plan.rate = argc == 6 ? std::stod(argv[5]) : 0;
    Record record;
    const double seconds = Load(plan).run(record);
    print(record, seconds);
  } catch (const std::exception& error) {
    fmt::print(stderr, "submit_load: {}\n", error.what());
    return 1;
  }
  return 0;
}
