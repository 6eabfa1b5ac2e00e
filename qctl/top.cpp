// qctl top: the spool and its queue-run, live on a terminal; elsewhere one look.
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "lib/base/io.h"
#include "lib/base/text.h"
#include "qctl/commands.h"
#include "qctl/top_view.h"

namespace qctl {
namespace {

constexpr std::uint64_t kStandardInterval = 2000, kLeastInterval = 200;  // milliseconds
constexpr std::uint64_t kRest = 4;  // looking takes at most a fifth of the time, on a spool of a million too

volatile std::sig_atomic_t is_told_to_end = 0;
volatile std::sig_atomic_t has_new_size = 0;

// The terminal as it shall be left, whatever happens between.
class RawTerminal {
 public:
  RawTerminal() {
    is_raw_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!is_raw_) return;
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    (void)::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    (void)base::write_all(STDOUT_FILENO, "\x1b[?1049h\x1b[?25l");  // another screen, no cursor
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal() {
    if (!is_raw_) return;
    (void)base::write_all(STDOUT_FILENO, "\x1b[?25h\x1b[?1049l");
    (void)::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }

 private:
  termios before_{};
  bool is_raw_ = false;
};

struct Size {
  std::size_t columns = 80, rows = 24;
};
Size size_of_terminal() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

void watch(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;  // without SA_RESTART: poll(2) ends
  ::sigaction(signal, &action, nullptr);
}

class Top {
 public:
  Top(Session& session, std::uint64_t interval) : session_(session), interval_(interval) {}

  base::Result<int> run() {
    if (const auto looked = look(); !looked) return std::unexpected(looked.error());  // before the screen is taken
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) watch(signal, [](int) { is_told_to_end = 1; });
    watch(SIGWINCH, [](int) { has_new_size = 1; });
    const RawTerminal terminal;
    while (is_told_to_end == 0) {
      if (const auto drawn = draw(); !drawn) return std::unexpected(drawn.error());
      const auto key = wait();
      if (key == Key::End) break;
      if (key != Key::Look) continue;
      if (const auto looked = look(); !looked) return std::unexpected(looked.error());
    }
    return 0;
  }

 private:
  base::Result<void> look() {
    const auto began = base::monotonic_milliseconds();
    auto snapshot = take_snapshot(session_.spool, base::wall_now());
    if (!snapshot) return std::unexpected(snapshot.error());
    rates_ = snapshot_ ? rates_between(*snapshot_, *snapshot) : std::nullopt;
    snapshot_ = std::move(*snapshot);
    const auto ended = base::monotonic_milliseconds();
    next_look_ = ended + std::max(interval_, (ended - began) * kRest);
    return {};
  }

  [[nodiscard]] base::Result<void> draw() const {
    const auto size = size_of_terminal();
    std::string screen = "\x1b[H";
    // The last column and line stay free: some terminals scroll there.
    for (const auto& line : render(*snapshot_, rates_, view_, session_.out, size.columns - 1, size.rows - 2)) screen += line + "\x1b[K\r\n";
    screen += "\x1b[J" + fitted("q end  s sort  b what is counted  blank look now", size.columns - 1, session_.out.screen().utf8);
    return base::write_all(STDOUT_FILENO, screen);
  }

  Key wait() {
    for (;;) {
      const auto now = base::monotonic_milliseconds();
      if (is_told_to_end != 0) return Key::End;
      if (now >= next_look_) return Key::Look;
      pollfd keys{STDIN_FILENO, POLLIN, 0};
      const int ready = ::poll(&keys, 1, static_cast<int>(std::min<std::uint64_t>(next_look_ - now, 60'000)));
      if (std::exchange(has_new_size, 0) != 0) return Key::Redraw;
      if (ready < 0 && errno != EINTR) return Key::End;
      if (ready <= 0) continue;
      char key = '\0';
      if (::read(STDIN_FILENO, &key, 1) <= 0) return Key::End;  // the terminal went away
      if (const auto pressed = press(view_, key); pressed != Key::Nothing) return pressed;
    }
  }

  Session& session_;
  std::uint64_t interval_;
  std::uint64_t next_look_ = 0;
  TopView view_;
  std::optional<Snapshot> snapshot_;
  std::optional<Rates> rates_;
};

}  // namespace

base::Result<int> top(Session& session) {
  std::uint64_t interval = kStandardInterval;
  if (session.line.has("interval")) {
    const auto given = base::text::parse_duration_milliseconds(session.line.text("interval"));
    if (!given || *given < kLeastInterval || *given > 3'600'000)
      return base::fail(base::Fault::Usage, "--interval: '" + base::text::printable(session.line.text("interval")) + "'; expected: a duration from 200ms to 1h");
    interval = *given;
  }
  if (!session.wants_json() && session.out.screen().is_terminal && ::isatty(STDIN_FILENO) == 1) return Top(session, interval).run();
  const auto snapshot = take_snapshot(session.spool, session.now);
  if (!snapshot) return std::unexpected(snapshot.error());
  if (session.wants_json()) {
    session.out.put(as_json(*snapshot) + "\n");
  } else {
    for (const auto& line : render(*snapshot, std::nullopt, {}, session.out, 0, 0)) session.out.put(line + "\n");
  }
  return 0;
}

}  // namespace qctl
