#include "queue-run/transports.h"

#include <algorithm>
#include <array>
#include <span>

#include "lib/base/text.h"
#include "lib/mail/relay_sections.h"
#include "queue-run/destination_limits.h"

namespace run {
namespace {

using base::Settings;

// Where the words and numbers of a transport stand.
struct Keys {
  std::string name;
  std::string program, concurrency, destination_concurrency;
};

base::Result<std::size_t> at_least_one(const Settings& settings, const std::string& name) {
  const auto count = settings.count(name);
  if (count == 0) return base::fail(base::Fault::Config, settings.place_of(name) + name + ": 0; expected: at least 1");
  return static_cast<std::size_t>(count);
}

base::Result<TransportRow> row_of(const Settings& settings, const Keys& keys) {
  TransportRow row;
  row.settings.name = keys.name;
  row.settings.program = settings.words(keys.program);
  const auto& words = row.settings.program;
  if (words.empty() || std::ranges::find(words, "--") != words.end())
    return base::fail(base::Fault::Config, settings.place_of(keys.program) + keys.program + ": expected: one program with its arguments, or unix:SOCKET");
  const auto calls = at_least_one(settings, keys.concurrency);
  if (!calls) return std::unexpected(calls.error());
  const auto calls_per_destination = at_least_one(settings, keys.destination_concurrency);
  if (!calls_per_destination) return std::unexpected(calls_per_destination.error());
  // Each call of a program is a process. The limit is here, not in the Caller's line, where fresh mail would wait behind old.
  const bool is_resident = chain::is_resident(words.front());
  row.settings.limits.calls = is_resident ? *calls : std::min<std::size_t>(*calls, settings.count("queue.processes"));
  row.settings.limits.calls_per_destination = *calls_per_destination;
  return row;
}

bool is_name(std::string_view name) {
  constexpr std::size_t kLongest = 64;  // it stands in logs
  return !name.empty() && name.size() <= kLongest && std::ranges::all_of(name, [](char c) {
    return base::text::is_alpha(c) || base::text::is_digit(c) || std::string_view("._-").contains(c);
  });
}

base::Result<TransportRow> row_of_section(const Settings& settings, const std::string& name) {
  const auto key = [&](std::string_view which) { return Settings::named("transport", name, which); };
  const auto wrong = [&](const std::string& what) { return base::fail(base::Fault::Config, settings.place_of(key("program")) + "[transport \"" + name + "\"]: " + what); };
  if (!is_name(name)) return wrong("expected: a name of at most 64 letters, digits, dots, dashes and underscores");
  if (name == "local" || name == "remote") return wrong("this one is queue." + name + "_transport; expected: another name");
  auto row = row_of(settings, {name, key("program"), key("concurrency"), key("destination_concurrency")});
  if (!row) return row;
  row->of_route = {name, settings.text(key("host")), static_cast<std::size_t>(settings.count(key("recipients_per_call")))};
  const std::string_view program = row->settings.program.front();
  row->of_route.takes_urls = program.substr(program.rfind('/') + 1) == "deliver-remote";
  if (row->of_route.host.starts_with('-')) return wrong("host begins with a dash, which a program would take for an option");
  return row;
}

// All but the local transport: there are destinations that can be hurt.
base::Result<void> limit_destinations(const Settings& settings, std::span<TransportRow> rows) {
  const auto at_first = at_least_one(settings, "queue.destination_concurrency_start");
  if (!at_first) return std::unexpected(at_first.error());
  const auto own = destination_limits(settings);
  if (!own) return std::unexpected(own.error());
  for (auto& row : rows) {
    row.settings.limits.calls_at_first = *at_first;
    row.settings.limits.interval = settings.milliseconds("queue.destination_rate_delay");
    row.settings.limits.own = *own;
  }
  return {};
}

// What rules and aliases ask for, if there is no section [transport] of that name.
struct Standard {
  std::string_view name, program;
};
constexpr auto kStandard = std::to_array<Standard>({
    {"lmtp", "deliver-remote --protocol lmtp"},
    {"mbox", "deliver-maildir --mbox"},
    {"pipe", "deliver-pipe"},
});
constexpr std::size_t kStandardCalls = 20;

TransportRow standard_row(const Settings& settings, std::string_view name, std::string_view program) {
  const std::size_t calls = std::min<std::size_t>(kStandardCalls, settings.count("queue.processes"));
  TransportRow row;
  row.settings.name = row.of_route.name = name;
  row.settings.limits.calls = row.settings.limits.calls_per_destination = calls;
  for (const auto word : base::text::split(program, ' ')) row.settings.program.emplace_back(word);
  return row;
}

}  // namespace

base::Result<std::vector<TransportRow>> transports_of(const Settings& settings) {
  std::vector<TransportRow> rows;
  for (const auto& keys : {Keys{"local", "queue.local_transport", "queue.local_concurrency", "queue.local_concurrency"},
                           Keys{"remote", "queue.remote_transport", "queue.remote_concurrency", "queue.destination_concurrency"}}) {
    auto row = row_of(settings, keys);
    if (!row) return std::unexpected(row.error());
    row->of_route.name = keys.name;
    row->of_route.takes_urls = settings.flag("queue.remote_transport_urls");
    rows.push_back(std::move(*row));
  }
  for (const auto& name : settings.names("transport")) {
    auto row = row_of_section(settings, name);
    if (!row) return std::unexpected(row.error());
    rows.push_back(std::move(*row));
  }
  for (const auto& [name, program] : kStandard)
    if (std::ranges::none_of(rows, [&](const TransportRow& row) { return row.settings.name == name; })) rows.push_back(standard_row(settings, name, program));
  if (const auto done = limit_destinations(settings, std::span(rows).subspan(1)); !done) return std::unexpected(done.error());
  return rows;
}

base::Result<mail::DomainMap<Router::Way>> ways_of(const Settings& settings, const std::vector<TransportSettings>& transports) {
  mail::DomainMap<Router::Way> ways;
  const auto sections = mail::relay_sections(settings);
  if (!sections) return std::unexpected(sections.error());
  for (const auto& domain : settings.names("relay")) {
    const auto& section = *sections->at(domain);
    Router::Way way{domain, section.is_way(), Transport::Remote, section.host, section.refusal};
    if (!section.transport.empty()) {
      const auto known = std::ranges::find(transports, section.transport, &TransportSettings::name);
      if (known == transports.end()) {
        std::string names;
        for (const auto& transport : transports) names += " " + transport.name;
        return base::fail(base::Fault::Config, settings.place_of(Settings::named("relay", domain, "transport")) + "[relay \"" + domain + "\"] transport = '" +
                                                   base::text::printable(section.transport, 100) + "'; expected: one of" + names);
      }
      way.transport = static_cast<Transport>(known - transports.begin());
    }
    ways.add(domain, std::move(way));
  }
  return ways;
}

}  // namespace run
