// The system log: one event a line, to standard error (s6-log, multilog, journald), a file or syslog, as text or JSON.
// The only global state of the toolkit. Lines leave in whole ones, in writes that a pipe takes as they are (PIPE_BUF), so that lines of several
// processes do not mix.
#pragma once

#include <concepts>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace base::log {

enum class Level { Debug, Info, Warning, Error };

struct Field {
  std::string_view name;
  std::string value;
  Field(std::string_view name_, std::string_view value_) : name(name_), value(value_) {}
  Field(std::string_view name_, const std::string& value_) : name(name_), value(value_) {}
  Field(std::string_view name_, const char* value_) : name(name_), value(value_) {}
  template <std::integral Number>
  Field(std::string_view name_, Number number) : name(name_), value(std::to_string(number)) {}
};

struct Settings {
  Level least = Level::Info;
  bool as_json = false;
  // "" standard error, "syslog", or a path (opened for appending, again after reopen()).
  std::string destination;
};

// inetd(8) makes the client descriptor 2 as well. Then that becomes /dev/null, so that neither this program nor those that
// it starts talk to the client there, and what would go to standard error goes to syslog. To be called before anything else.
void leave_connection(std::string_view program);
// A line for the operator when the program ends: on standard error, or where leave_connection() turned it.
void last_words(std::string_view line);

[[nodiscard]] Result<void> configure(std::string_view program, const Settings& settings);
void reopen();  // after the file was rotated

bool enabled(Level level);

// In its life, lines of this thread wait for flush(): who serves many sessions in a turn of a loop (net::Loop does this) writes them at
// the turn's end, and not one by one. An error does not wait, and what waits goes before it. What is lost when the process is killed in the
// middle of a turn are lines of that turn.
class Gathering {
 public:
  Gathering();
  ~Gathering();
  Gathering(const Gathering&) = delete;
  Gathering& operator=(const Gathering&) = delete;
};
void flush();

// Text: `2026-11-21T20:15:00.123456Z smtpd[42] info accepted id=... from=<a@b>`; values with blanks or controls are quoted.
// JSON: {"time":...,"program":...,"pid":...,"level":...,"event":...,"id":...}
void write(Level level, std::string_view event, std::span<const Field> fields);
inline void write(Level level, std::string_view event, std::initializer_list<Field> fields = {}) {
  write(level, event, std::span<const Field>(fields.begin(), fields.size()));
}

inline void debug(std::string_view event, std::initializer_list<Field> fields = {}) { write(Level::Debug, event, fields); }
inline void info(std::string_view event, std::initializer_list<Field> fields = {}) { write(Level::Info, event, fields); }
inline void warning(std::string_view event, std::initializer_list<Field> fields = {}) { write(Level::Warning, event, fields); }
inline void error(std::string_view event, std::initializer_list<Field> fields = {}) { write(Level::Error, event, fields); }

}  // namespace base::log
