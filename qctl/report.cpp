// qctl report: reads log lines and the spool, writes the page.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "lib/base/durable.h"
#include "lib/base/io.h"
#include "lib/base/text.h"
#include "qctl/commands.h"
#include "qctl/page.h"

namespace qctl {
namespace {

constexpr std::size_t kMostLineOctets = 1 << 20;

// Line by line: logs are larger than memory.
base::Result<void> read_lines(int file, const std::string& name, MailHistory& history) {
  std::string waiting;
  std::array<char, 65536> octets;
  for (;;) {
    const auto got = ::read(file, octets.data(), octets.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail_errno("read " + name);
    if (got == 0) break;
    waiting.append(octets.data(), static_cast<std::size_t>(got));
    std::size_t begin = 0;
    for (auto end = waiting.find('\n'); end != std::string::npos; begin = end + 1, end = waiting.find('\n', begin))
      history.add(std::string_view(waiting).substr(begin, end - begin));
    waiting.erase(0, begin);
    if (waiting.size() > kMostLineOctets) waiting.clear();  // no line of ours
  }
  history.add(waiting);
  return {};
}

base::Result<void> read_logs(const std::vector<std::string>& names, MailHistory& history) {
  if (names.empty() && ::isatty(STDIN_FILENO) == 1) return {};
  if (names.empty()) return read_lines(STDIN_FILENO, "standard input", history);
  for (const auto& name : names) {
    const auto file = name == "-" ? base::Result<base::UniqueFd>() : base::open_file(name, O_RDONLY);
    if (!file) return std::unexpected(file.error());
    if (const auto read = read_lines(name == "-" ? STDIN_FILENO : file->get(), name, history); !read) return read;
  }
  return {};
}

// Whoever reads the page meanwhile has the old one or the new one.
base::Result<void> replace_file(const std::string& path, std::string_view octets) {
  const std::string draft = path + "." + std::to_string(::getpid()) + ".new";
  auto file = base::open_file(draft, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (!file) return std::unexpected(file.error());
  auto written = base::write_all(file->get(), octets);
  if (written) written = file->close();
  if (written) written = base::rename_file(draft, path);
  if (!written) (void)::unlink(draft.c_str());
  return written;
}

}  // namespace

base::Result<int> report(Session& session) {
  if (!session.line.has("html")) return base::fail(base::Fault::Usage, "report: what shall it write? expected: --html FILE, or --html - for standard output");
  MailHistory history;
  const auto read = read_logs(session.arguments, history);
  if (!read) return std::unexpected(read.error());
  const auto queues = count_queues(session.spool, session.now);
  if (!queues) return std::unexpected(queues.error());
  const std::string title = session.line.has("title") ? session.line.text("title") : "Mail report";
  const auto page = page_of({title, session.spool.path(), session.now, session.spool.is_locked("queue-run")}, history, *queues);
  const auto& path = session.line.text("html");
  if (path == "-") return session.out.put(page), 0;
  const auto written = replace_file(path, page);
  if (!written) return std::unexpected(written.error());
  return 0;
}

}  // namespace qctl
