// call: makes a message call (vsmtp-chain(7)) from the shell, for tests and measurements.
//   call [--timeout DURATION] [--processes N] [--context JSON] [--from ADDRESS] [--to ADDRESS]... [--repeat N [--at-once N]]
//        -- CHAIN <message
//   call [...] --folder FOLDER --repeat N -- CHAIN
//   call --delivery [...] -- PROGRAM HOST SENDER RECIPIENT... <message
// Prints how the call ended: the class, and `reply:`, `cause:` where there are such. With --repeat the same call N times, and
// how many of each end and how many calls a second there were.
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <limits>
#include <map>

#include "lib/base/blob.h"
#include "lib/base/clock.h"
#include "lib/base/command_line.h"
#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/base/text.h"
#include "lib/base/unique_fd.h"
#include "lib/chain/caller.h"
#include "lib/chain/envelope.h"
#include "lib/chain/environment.h"

namespace {

constexpr std::string_view kProgram = "call";
constexpr auto kOptions = std::to_array<base::OptionRow>({
    {"timeout", "DURATION", "time limit of the call (5m)"},
    {"processes", "N", "exec'd programs at once (50)"},
    {"context", "JSON", "descriptor 3"},
    {"from", "ADDRESS", "sender"},
    {"to", "ADDRESS", "recipient; may be given several times"},
    {"delivery", "", "make a delivery call, and print its report"},
    {"repeat", "N", "make the call so many times (1)"},
    {"at-once", "N", "with --repeat: calls under way (1)"},
    {"folder", "FOLDER", "with --repeat: the messages are the files in it, in turn, instead of standard input"},
});
const base::Manual kManual{
    .program = kProgram, .section = "1", .usage = "[OPTION...] -- CHAIN <message",
    .purpose = "Makes a message call.", .examples = "", .options = kOptions};

const char* name_of(chain::Outcome::Class result) {
  switch (result) {
    case chain::Outcome::Class::Taken: return "taken";
    case chain::Outcome::Class::Permanent: return "permanent";
    case chain::Outcome::Class::Temporary: break;
  }
  return "temporary";
}

std::string describe(const chain::Outcome& outcome, bool is_delivery) {
  std::string text = name_of(outcome.result);
  text += '\n';
  if (!outcome.reply.empty()) text += "reply: " + outcome.reply + "\n";
  if (!outcome.cause.empty()) text += "cause: " + outcome.cause + "\n";
  for (const auto part : base::text::split(outcome.report, '\0'))
    if (is_delivery && !part.empty()) text.append(part).append("\n");
  return text;
}

// Keeps so many calls under way until all are made.
class Repeater {
 public:
  // `files`: the messages in turn; none: that of the call. Small ones are read now, as a server has them in memory: the calls are what
  // is measured.
  Repeater(net::Loop& loop, chain::Caller& caller, const chain::Words& words, chain::Call call, std::vector<std::string> files, std::size_t times)
      : loop_(loop), caller_(caller), words_(words), call_(std::move(call)), files_(std::move(files)), left_(times) {
    std::ranges::transform(files_, std::back_inserter(messages_), [&](const std::string& path) { return small_one(path); });
  }
  void start(std::size_t at_once) {
    while (at_once-- > 0) next();
    loop_.run();
  }
  [[nodiscard]] const std::map<std::string, std::size_t>& ends() const { return ends_; }

 private:
  void next() {
    if (left_ == 0) {
      if (open_ == 0) loop_.stop();
      return;
    }
    --left_;
    ++open_;
    if (!files_.empty()) take_next();
    caller_.call(words_, call_, [this](const chain::Outcome& outcome) {
      --open_;
      ++ends_[describe(outcome, call_.kind == chain::Kind::Delivery)];
      next();
    });
  }

  // No octets: a large one, or none at all.
  base::Blob small_one(const std::string& path) {
    const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    const auto got = ::read(file.get(), buffer_.data(), buffer_.size());
    const bool is_whole = got >= 0 && static_cast<std::size_t>(got) < buffer_.size();
    return is_whole ? base::Blob::of_octets(std::string(buffer_.data(), static_cast<std::size_t>(got))) : base::Blob();
  }

  void take_next() {
    const auto which = file_++ % files_.size();
    call_.message = messages_[which];
    if (call_.message.size() > 0) return;
    const base::UniqueFd file(::open(files_[which].c_str(), O_RDONLY | O_CLOEXEC));
    auto message = base::Blob::of_descriptor(file.get(), std::numeric_limits<std::uint64_t>::max());
    if (message)
      call_.message = std::move(*message);
    else
      ++ends_[files_[which] + ": " + message.error().cause + "\n"];
  }

  net::Loop& loop_;
  chain::Caller& caller_;
  const chain::Words& words_;
  chain::Call call_;
  std::vector<std::string> files_;
  std::vector<base::Blob> messages_;
  std::vector<char> buffer_ = std::vector<char>(65536);
  std::size_t left_, open_ = 0, file_ = 0;
  std::map<std::string, std::size_t> ends_;
};

std::size_t number(const base::CommandLine& line, std::string_view option, std::size_t standard) {
  return base::text::parse_number<std::size_t>(line.text(option)).value_or(standard);
}

}  // namespace

int main(int argc, char** argv) {
  const auto line = base::CommandLine::parse(kManual, argc, argv);
  if (!line) return base::report(kProgram, line.error());
  if (line->should_exit()) return 0;
  chain::Call call;
  std::vector<std::string> files;
  if (line->has("folder")) {
    for (const auto& entry : std::filesystem::directory_iterator(line->text("folder"))) files.push_back(entry.path());
    std::ranges::sort(files);
  } else {
    auto message = base::Blob::of_descriptor(0, std::numeric_limits<std::uint64_t>::max());
    if (!message) return base::report(kProgram, message.error());
    call.message = std::move(*message);
  }
  if (line->has("delivery")) call.kind = chain::Kind::Delivery;
  call.environment = chain::interface_environment();
  call.envelope = chain::to_octets({line->text("from"), line->all("to")});
  call.context = line->text("context");
  chain::Caller::Limits limits;
  limits.timeout_milliseconds = base::text::parse_duration_milliseconds(line->text("timeout")).value_or(limits.timeout_milliseconds);
  limits.processes = number(*line, "processes", limits.processes);
  const std::size_t times = number(*line, "repeat", 1);

  if (times == 1) {
    const auto outcome = chain::call_and_wait(line->chain, std::move(call), limits);
    (void)base::write_all(1, describe(outcome, line->has("delivery")));
    return outcome.result == chain::Outcome::Class::Taken ? 0 : 1;
  }
  net::Loop loop;
  chain::Caller caller(loop, limits);
  Repeater repeater(loop, caller, line->chain, std::move(call), std::move(files), times);
  const auto begin = base::monotonic_milliseconds();
  repeater.start(number(*line, "at-once", 1));
  const auto took = std::max<std::uint64_t>(base::monotonic_milliseconds() - begin, 1);
  for (const auto& [end, count] : repeater.ends()) std::printf("%zu times %s", count, end.c_str());
  std::printf("%zu calls a second\n", static_cast<std::size_t>(times * 1000 / took));
  return 0;
}
