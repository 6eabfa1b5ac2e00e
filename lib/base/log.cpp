#include "lib/base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <syslog.h>

#include <algorithm>
#include <array>
#include <climits>
#include <utility>

#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/json_text.h"
#include "lib/base/unique_fd.h"

namespace base::log {
namespace {

struct LevelRow {
  Level level;
  std::string_view name;
  int syslog_priority;
};
constexpr auto kLevels = std::to_array<LevelRow>({
    {Level::Debug, "debug", LOG_DEBUG},
    {Level::Info, "info", LOG_INFO},
    {Level::Warning, "warning", LOG_WARNING},
    {Level::Error, "error", LOG_ERR},
});
const LevelRow& row(Level level) { return kLevels[static_cast<std::size_t>(level)]; }

struct Sink {
  std::string program = "vsmtp";
  Settings settings;
  UniqueFd file;
  bool has_no_stderr = false;
};
Sink& sink() {
  static Sink the_sink;
  return the_sink;
}

// Of a thread: lines that wait.
struct Waiting {
  std::string lines;
  int depth = 0;  // of Gathering
  ~Waiting() { flush(); }
};
thread_local Waiting waiting;

// Asked of the system once, since each line has it. What waited when the process forked is its parent's to write.
pid_t own_pid() {
  static pid_t pid = [] {
    ::pthread_atfork(nullptr, nullptr, [] {
      pid = ::getpid();
      waiting.lines.clear();
    });
    return ::getpid();
  }();
  return pid;
}

void put(std::string_view text) {
  const Sink& s = sink();
  (void)write_all(s.file.is_open() ? s.file.get() : STDERR_FILENO, text);  // a full log disk must not stop the mail
}

bool is_plain(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '\\'; });
}

void append_text(std::string& line, std::string_view event, std::span<const Field> fields) {
  line += event;
  for (const auto& field : fields) {
    line += ' ';
    line += field.name;
    line += '=';
    if (is_plain(field.value)) {
      line += field.value;
    } else {
      json::append_string(line, field.value);
    }
  }
}

std::string as_json(Level level, std::string_view event, std::span<const Field> fields) {
  std::string line = "{";
  json::append_member(line, "time", to_rfc3339(wall_now()));
  json::append_member(line, "program", sink().program);
  json::append_member(line, "pid", static_cast<long long>(own_pid()));
  json::append_member(line, "level", row(level).name);
  json::append_member(line, "event", event);
  for (const auto& field : fields) json::append_member(line, field.name, field.value);
  return line + "}\n";
}

std::string as_text(Level level, std::string_view event, std::span<const Field> fields) {
  std::string line = to_rfc3339(wall_now());
  line += ' ';
  line += sink().program;
  line += '[';
  line += std::to_string(own_pid());
  line += "] ";
  line += row(level).name;
  line += ' ';
  append_text(line, event, fields);
  line += '\n';
  return line;
}

}  // namespace

namespace {
void open_syslog() { ::openlog(sink().program.c_str(), LOG_PID | LOG_NDELAY, LOG_MAIL); }

bool is_same_socket(int a, int b) {
  struct stat one, other;
  if (::fstat(a, &one) != 0 || ::fstat(b, &other) != 0) return false;
  return S_ISSOCK(one.st_mode) && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}
}  // namespace

void leave_connection(std::string_view program) {
  if (!is_same_socket(STDERR_FILENO, STDIN_FILENO) && !is_same_socket(STDERR_FILENO, STDOUT_FILENO)) return;
  const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (null < 0) return;
  ::dup2(null, STDERR_FILENO);
  ::close(null);
  sink().program = program;
  sink().has_no_stderr = true;
  sink().settings.destination = "syslog";
  open_syslog();
}

Gathering::Gathering() { ++waiting.depth; }
Gathering::~Gathering() {
  flush();
  --waiting.depth;
}

void flush() {
  if (waiting.lines.empty()) return;
  put(waiting.lines);
  waiting.lines.clear();
}

void last_words(std::string_view line) {
  flush();
  if (sink().has_no_stderr) return ::syslog(LOG_ERR, "%.*s", static_cast<int>(line.size()), line.data());
  (void)write_all(STDERR_FILENO, std::string(line) + "\n");  // the last resort: nobody is left to tell
}

Result<void> configure(std::string_view program, const Settings& settings) {
  flush();
  Sink& s = sink();
  s.program = program;
  s.settings = settings;
  s.file.reset();
  if (s.settings.destination.empty() && s.has_no_stderr) s.settings.destination = "syslog";
  if (s.settings.destination.empty()) return {};
  if (s.settings.destination == "syslog") {
    open_syslog();
    return {};
  }
  auto file = open_file(settings.destination, O_WRONLY | O_APPEND | O_CREAT, 0640);
  if (!file) return fail(Fault::Config, file.error().cause);
  s.file = std::move(*file);
  return {};
}

void reopen() {
  flush();
  Sink& s = sink();
  if (!s.file.is_open()) return;
  auto file = open_file(s.settings.destination, O_WRONLY | O_APPEND | O_CREAT, 0640);
  // In the place of the old one and under its number: other threads may be writing to it just now, and after close(2) the number
  // could be that of a message. If there is none, the old file goes on: a log in the wrong place beats none.
  if (file) (void)::dup3(file->get(), s.file.get(), O_CLOEXEC);
}

bool enabled(Level level) { return level >= sink().settings.least; }

void write(Level level, std::string_view event, std::span<const Field> fields) {
  if (!enabled(level)) return;
  const Sink& s = sink();
  if (s.settings.destination == "syslog") {
    std::string line;
    append_text(line, event, fields);
    ::syslog(row(level).syslog_priority, "%s", line.c_str());
    return;
  }
  const std::string line = s.settings.as_json ? as_json(level, event, fields) : as_text(level, event, fields);
  if (waiting.lines.size() + line.size() > PIPE_BUF) flush();
  if (waiting.depth == 0 || line.size() > PIPE_BUF) return put(line);
  waiting.lines += line;
  if (level == Level::Error) flush();
}

}  // namespace base::log
