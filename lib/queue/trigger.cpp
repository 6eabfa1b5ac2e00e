#include "lib/queue/trigger.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "lib/base/io.h"
#include "lib/base/text.h"

namespace queue {
namespace {

using base::Result;

std::string path_of(const Spool& spool) { return spool.path() + "/log/trigger"; }

struct Word {
  Request::Kind kind;
  std::string_view word;
  bool has_place;
};
constexpr auto kWords = std::to_array<Word>({
    {Request::Kind::Retry, "retry", false},
    {Request::Kind::Move, "move", true},
    {Request::Kind::Remove, "remove", false},
});

std::optional<Request> parse(std::string_view line) {
  if (line.empty()) return Request{};
  const auto words = base::text::split(line, ' ');
  for (const auto& known : kWords) {
    if (words[0] != known.word || words.size() != (known.has_place ? 3U : 2U)) continue;
    const auto id = Id::parse(words[1]);
    const auto place = known.has_place ? Place::parse(words[2]) : Place();
    if (id && place) return Request{known.kind, *id, *place};
  }
  return std::nullopt;
}

std::string to_line(const Request& request) {
  for (const auto& known : kWords)
    if (known.kind == request.kind)
      return std::string(known.word) + " " + request.id.string() + (known.has_place ? " " + request.place.folder() : "") + "\n";
  return "\n";
}

}  // namespace

Result<Trigger> Trigger::open(const Spool& spool) {
  const std::string path = path_of(spool);
  if (::mkfifo(path.c_str(), 0600) != 0 && errno != EEXIST) return base::fail_errno("make " + path);
  // For writing too: so it does not end when the last of the others closes it.
  auto fifo = base::open_file(path, O_RDWR | O_NONBLOCK);
  if (!fifo) return std::unexpected(fifo.error());
  struct stat status;
  if (::fstat(fifo->get(), &status) != 0 || !S_ISFIFO(status.st_mode)) return base::fail(base::Fault::Config, path + ": not a FIFO");
  return Trigger(std::move(*fifo));
}

std::vector<Request> Trigger::read() {
  std::vector<Request> requests;
  bool look = false;
  std::array<char, 4096> buffer;
  for (;;) {
    const auto n = ::read(fifo_.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    partial_.append(buffer.data(), static_cast<std::size_t>(n));
    std::string_view left = partial_;
    for (auto end = left.find('\n'); end != std::string_view::npos; end = left.find('\n')) {
      if (const auto request = parse(left.substr(0, end))) {
        if (request->kind != Request::Kind::Look) requests.push_back(*request);
        look = look || request->kind == Request::Kind::Look;
      }
      left.remove_prefix(end + 1);
    }
    partial_ = left.size() <= buffer.size() ? std::string(left) : std::string();  // a line without end is none of ours
  }
  if (look) requests.insert(requests.begin(), Request{});
  return requests;
}

TriggerPoke::TriggerPoke(const Spool& spool) : path_(path_of(spool)) {}

bool TriggerPoke::send(const Request& request) {
  const std::string line = to_line(request);
  // Opened again once: who listened may have ended, and another one come.
  for (int i = 0; i < 2; ++i) {
    if (!fifo_.is_open()) {
      auto fifo = base::open_file(path_, O_WRONLY | O_NONBLOCK);
      if (!fifo) return false;
      fifo_ = std::move(*fifo);
    }
    const auto n = ::write(fifo_.get(), line.data(), line.size());  // at most PIPE_BUF: all or nothing
    if (n == static_cast<ssize_t>(line.size()) || errno == EINTR) return true;
    if (errno == EAGAIN) return false;
    fifo_.reset();
  }
  return false;
}

}  // namespace queue
