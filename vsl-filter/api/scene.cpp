#include "vsl-filter/api/scene.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "lib/base/text.h"

namespace rules {

namespace {

constexpr auto kLevels = std::to_array<std::string_view>({"trace", "debug", "info", "warn", "error"});

std::string system_name() {
  char name[256] = "";
  if (::gethostname(name, sizeof name - 1) != 0) return "localhost";
  return name;
}

}  // namespace

std::string_view name_of(LogLevel level) { return kLevels[static_cast<std::size_t>(level)]; }

std::optional<LogLevel> log_level_of(std::string_view name) {
  if (base::text::equal_ignoring_case(name, "warning")) return LogLevel::Warn;
  const auto row = std::ranges::find_if(kLevels, [name](std::string_view level) { return base::text::equal_ignoring_case(level, name); });
  if (row == kLevels.end()) return std::nullopt;
  return static_cast<LogLevel>(row - kLevels.begin());
}

thread_local constinit std::string_view LogSubject::current_;

Site Site::of(base::Settings settings, Log log) {
  Site site;
  site.host_name = system_name();
  site.domain = settings.text("server.domain").empty() ? site.host_name : settings.text("server.domain");
  auto own = settings.words("delivery.local_domains");
  own.push_back(site.domain);
  for (auto& domain : settings.names("virtual")) own.push_back(std::move(domain));
  site.own_domains = mail::DomainList(own);
  site.app_directory = settings.text("rules.app_directory");
  site.state_directory = settings.text("rules.state_directory");
  site.on_error = settings.text("rules.on_error") == "next" ? OnError::Next : settings.text("rules.on_error") == "tempfail" ? OnError::TempFail : OnError::Deny;
  site.deny_closes = settings.flag("rules.deny_closes");
  site.log = std::move(log);
  site.settings = std::move(settings);
  return site;
}

vsl::Sinks sinks_of(const Site& site) {
  if (!site.log) return {};
  return {.print = [&site](std::string_view text) { site.log(LogLevel::Info, text); },
          .debug = [&site](std::string_view text, vsl::Span) { site.log(LogLevel::Debug, text); }};
}

std::unexpected<vsl::Failure> too_early(std::string_view name, Stage earliest) {
  return vsl::fail_api("the field: `" + std::string(name) + "` is not defined yet, it only is available from the `" + std::string(name_of(earliest)) +
                       "` stage");
}

vsl::Expected<Session*> session_at(vsl::Run& run, std::string_view name) {
  Session* session = scene_of(run).session;
  if (session == nullptr) return vsl::fail_api("`" + std::string(name) + "` belongs to a transaction: it cannot be used while the rules are being loaded");
  return session;
}

vsl::Expected<Session*> session_at(vsl::Run& run, Stage earliest, std::string_view name) {
  auto session = session_at(run, name);
  if (session && scene_of(run).stage < earliest) return too_early(name, earliest);
  return session;
}

vsl::Expected<Session*> session_for_recipients(vsl::Run& run) {
  if (scene_of(run).stage == Stage::Authenticate) return too_early("rcpt_list", Stage::Mail);
  return session_at(run, "rcpt_list");
}

vsl::Expected<Transaction*> transaction_at(vsl::Run& run, Stage earliest, std::string_view name) {
  auto session = session_at(run, earliest, name);
  if (!session) return pass_on(session);
  Transaction* transaction = (*session)->transaction();
  if (transaction == nullptr) return too_early(name, earliest);
  return transaction;
}

vsl::Expected<Message*> message_at(vsl::Run& run, std::string_view name) {
  auto transaction = transaction_at(run, Stage::Preq, name);
  if (!transaction) return pass_on(transaction);
  if (!(*transaction)->message) return too_early(name, Stage::Preq);
  return &*(*transaction)->message;
}

}  // namespace rules
