// fill_spool: a spool with very many deferred messages, for tests and measurements: each with its file in deferred/ and its record in progress/.
//   fill_spool [--catalog] [--count N] [--domains N] [--age SECONDS] [--due SECONDS] [--octets N] SPOOL
// They arrived evenly over the last --age seconds (4 days) and are due evenly over the next --due seconds, beginning with half of it from now
// (4 hours). Nothing is synced. Message n goes to userN@dN.invalid, from a sender of a hundred; domain 0 has a tenth of them all.
#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <thread>

#include "lib/base/command_line.h"
#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/base/text.h"
#include "lib/queue/catalog_writer.h"
#include "lib/queue/folders.h"
#include "lib/queue/spool.h"

namespace {

constexpr std::string_view kProgram = "fill_spool";
constexpr auto kOptions = std::to_array<base::OptionRow>({
    {"count", "N", "messages (1000)"},
    {"domains", "N", "of recipients (1000)"},
    {"age", "SECONDS", "of the oldest (345600)"},
    {"due", "SECONDS", "until the last is due (14400)"},
    {"octets", "N", "of each message, about (1000)"},
    {"catalog", "", "and their catalog, as a queue-run leaves it"},
});
const base::Manual kManual{
    .program = kProgram, .section = "1", .usage = "[OPTION...] SPOOL", .purpose = "Fills a spool with deferred messages.", .examples = "", .options = kOptions};

struct Plan {
  std::uint64_t count, domains, age, due, octets;
  base::WallTime now = base::wall_now();
};

base::Result<void> write_file(int folder, const std::string& name, std::string_view octets, std::optional<base::WallTime> modified) {
  const base::UniqueFd file(::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.is_open()) return base::fail_errno("make " + name);
  if (const auto written = base::write_all(file.get(), octets); !written) return written;
  if (!modified) return {};
  const timespec times[2] = {{0, UTIME_NOW}, queue::to_timespec(*modified)};
  return ::futimens(file.get(), times) == 0 ? base::Result<void>() : base::fail_errno("set time of " + name);
}

base::Result<void> make_one(const queue::Spool& spool, const Plan& plan, std::uint64_t n, const queue::Id& id) {
  const auto domain = n % 10 == 0 ? 0 : n % plan.domains;
  queue::Item item;
  item.id = id;
  item.arrived = id.time();
  item.envelope = {"sender" + std::to_string(n % 100) + "@from.invalid", {"user" + std::to_string(n) + "@d" + std::to_string(domain) + ".invalid"}};
  std::string message = "Subject: message " + std::to_string(n) + "\r\n\r\n";
  while (message.size() < plan.octets) message += "This line is one of many that all are the same, as in a mailing.\r\n";
  item.message_octets = message.size();
  queue::Event event;
  event.time = plan.now;
  event.kind = queue::EventKind::Deferred;
  event.recipient = 0;
  event.destination = "d" + std::to_string(domain) + ".invalid";
  event.address = item.envelope.recipients.front();
  event.text = "mx.d" + std::to_string(domain) + ".invalid[192.0.2.1]:25: Connection timed out";
  const auto due = plan.now + std::chrono::seconds(plan.due / 2) + std::chrono::milliseconds(plan.due * 500 * n / plan.count);
  if (const auto made = write_file(AT_FDCWD, spool.progress_path(id), queue::to_line(event), std::nullopt); !made) return made;
  return write_file(AT_FDCWD, spool.file_path({queue::State::Deferred, {}}, id), queue::to_octets(item) + message, due);
}

base::Result<void> fill(const queue::Spool& spool, const Plan& plan) {
  std::vector<queue::Id> ids;  // made in order: their time never runs backwards
  for (std::uint64_t n = 0; n < plan.count; ++n)
    ids.push_back(queue::Id::make(plan.now - std::chrono::seconds(plan.age) + std::chrono::microseconds(plan.age * 1'000'000 / plan.count * n)));
  std::atomic<std::uint64_t> next{0};
  const auto work = [&](base::Result<void>& end) {
    for (std::uint64_t n = next++; n < plan.count && end; n = next++) end = make_one(spool, plan, n, ids[n]);
  };
  std::array<base::Result<void>, 2> ends;
  std::jthread other(work, std::ref(ends[1]));
  work(ends[0]);
  other.join();
  return ends[0] ? ends[1] : ends[0];
}

std::uint64_t number(const base::CommandLine& line, std::string_view option, std::uint64_t standard) {
  return base::text::parse_number<std::uint64_t>(line.text(option)).value_or(standard);
}

}  // namespace

int main(int argc, char** argv) {
  const auto line = base::CommandLine::parse(kManual, argc, argv);
  if (!line) return base::report(kProgram, line.error());
  if (line->should_exit()) return 0;
  if (line->arguments.size() != 1) return base::report(kProgram, {base::Fault::Usage, "expected: SPOOL", 0});
  const auto spool = queue::Spool::create(line->arguments.front());
  if (!spool) return base::report(kProgram, spool.error());
  const Plan plan{number(*line, "count", 1000), std::max<std::uint64_t>(number(*line, "domains", 1000), 1), number(*line, "age", 345'600), number(*line, "due", 14'400),
                  number(*line, "octets", 1000)};
  auto filled = plan.count == 0 ? base::Result<void>() : fill(*spool, plan);
  if (filled && line->has("catalog"))
    if (const auto made = queue::rebuild_catalog(*spool); !made) filled = std::unexpected(made.error());
  return filled ? 0 : base::report(kProgram, filled.error());
}
