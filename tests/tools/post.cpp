// post: sends the files of a folder as HTTP requests over several connections, which stay open if the server lets them, for
// measurements.
//   post --server ADDRESS [--path PATH] [--connections N] [--count TEXT] --folder FOLDER
// Prints how many answers were 200, how many of these hold TEXT, and how many there were a second.
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <thread>

#include "lib/base/clock.h"
#include "lib/base/command_line.h"
#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/base/text.h"
#include "lib/base/unique_fd.h"
#include "lib/net/socket.h"

namespace {

constexpr std::string_view kProgram = "post";
constexpr auto kOptions = std::to_array<base::OptionRow>({
    {"server", "ADDRESS", "127.0.0.1:80, unix:SOCKET"},
    {"path", "PATH", "what is asked for (/)"},
    {"connections", "N", "open at once, one request under way on each (1)"},
    {"count", "TEXT", "count the answers that hold it"},
    {"folder", "FOLDER", "its files are the requests' bodies"},
});
const base::Manual kManual{.program = kProgram, .section = "1", .usage = "[OPTION...]", .purpose = "Sends files over HTTP.", .examples = "", .options = kOptions};

struct Work {
  std::vector<std::string> messages;
  std::string path, counted;
  std::atomic<std::size_t> next = 0, good = 0, found = 0;
};

// One answer, which says its length, at the front of `input`; what follows it stays.
class Connection {
 public:
  explicit Connection(net::Address server) : server_(std::move(server)) {}

  // The whole answer; "" when there is none.
  std::string ask(const std::string& request) {
    if (!is_open() || !base::write_all(socket_.get(), request)) return {};
    std::string answer;
    std::size_t wanted = std::numeric_limits<std::size_t>::max();
    std::array<char, 65536> buffer;
    while (answer.size() < wanted) {
      const auto got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
      if (got <= 0) {
        socket_.reset();
        return {};
      }
      answer.append(buffer.data(), static_cast<std::size_t>(got));
      const auto end = answer.find("\r\n\r\n");
      if (end == std::string::npos) continue;
      wanted = end + 4 + base::text::parse_number<std::size_t>(field(std::string_view(answer).substr(0, end), "content-length:")).value_or(0);
    }
    const auto head = std::string_view(answer).substr(0, answer.find("\r\n\r\n"));
    if (base::text::equal_ignoring_case(field(head, "connection:"), "close")) socket_.reset();
    return answer;
  }

 private:
  bool is_open() {
    if (socket_.is_open()) return true;
    socket_.reset(::socket(server_.system()->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(socket_.get(), server_.system(), server_.length()) != 0) socket_.reset();
    return socket_.is_open();
  }

  // `name` with its colon, in lower case.
  static std::string_view field(std::string_view head, std::string_view name) {
    for (auto line : base::text::split(head, '\n')) {
      if (!base::text::starts_with_ignoring_case(line, name)) continue;
      if (line.ends_with('\r')) line.remove_suffix(1);
      return base::text::trim(line.substr(name.size()));
    }
    return {};
  }

  net::Address server_;
  base::UniqueFd socket_;
};

void send_files(Work& work, const net::Address& server) {
  Connection connection(server);
  for (std::size_t i = work.next++; i < work.messages.size(); i = work.next++) {
    const auto& body = work.messages[i];
    const auto answer = connection.ask("POST " + work.path + " HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\nContent-Length: " +
                                       std::to_string(body.size()) + "\r\n\r\n" + body);
    if (answer.starts_with("HTTP/1.1 200")) ++work.good;
    if (!work.counted.empty() && answer.contains(work.counted)) ++work.found;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto line = base::CommandLine::parse(kManual, argc, argv);
  if (!line) return base::report(kProgram, line.error());
  if (line->should_exit()) return 0;
  Work work;
  for (const auto& entry : std::filesystem::directory_iterator(line->text("folder"))) {
    auto message = base::read_file(entry.path(), std::numeric_limits<std::uint32_t>::max());
    if (!message) return base::report(kProgram, message.error());
    work.messages.push_back(std::move(*message));  // before the clock runs
  }
  work.path = line->has("path") ? line->text("path") : "/";
  work.counted = line->text("count");
  const auto server = net::Address::parse(line->text("server"));
  if (!server) return base::report(kProgram, server.error());
  const auto begin = base::monotonic_milliseconds();
  {
    std::vector<std::jthread> senders;
    for (std::size_t n = base::text::parse_number<std::size_t>(line->text("connections")).value_or(1); n > 0; --n) senders.emplace_back([&] { send_files(work, *server); });
  }
  const auto took = std::max<std::uint64_t>(base::monotonic_milliseconds() - begin, 1);
  std::printf("%zu good, %zu with the text, %zu a second\n", work.good.load(), work.found.load(), static_cast<std::size_t>(work.messages.size() * 1000 / took));
  return work.good == work.messages.size() ? 0 : 1;
}
