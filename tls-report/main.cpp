// tls-report: tells other domains how TLS with their mail exchangers went. See tls-report(8).
#include <curl/curl.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <map>
#include <set>

#include "lib/authn/tls_rpt.h"
#include "lib/base/blob.h"
#include "lib/base/command_line.h"
#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/chain/caller.h"
#include "lib/chain/envelope.h"
#include "lib/net/dns_shared.h"
#include "lib/net/https.h"
#include "lib/net/public_address.h"
#include "tls-report/report_mail.h"

namespace {

namespace fs = std::filesystem;
namespace rpt = authn::tlsrpt;
using base::Fault;

constexpr std::string_view kProgram = "tls-report";
constexpr int kDaysKept = 14;
constexpr std::size_t kDayOctets = 10;  // 2026-11-22
constexpr std::string_view kSent = ".sent";

constexpr auto kOptions = std::to_array<base::OptionRow>({
    {"json", "", "print the reports, one a line, and send nothing"},
    {"dry-run", "", "print who would be told, and send nothing"},
});
constexpr auto kSettings = std::to_array<std::string_view>({
    "remote.tls_journal", "tlsrpt.organization", "tlsrpt.contact", "tlsrpt.submission", "tlsrpt.private_hosts", "sts.authorities", "sts.fetch_timeout", "server.domain", "dns.server", "dns.resolv_conf", "dns.stub", "dns.trust_anchor",
    "dns.timeout",
});
const base::Manual kManual{
    .program = kProgram,
    .section = "8",
    .usage = "[OPTION...] [YYYY-MM-DD]",
    .purpose = "Sends reports (RFC 8460) of a day, yesterday if none is given, to the domains that ask for them.",
    .examples = "tls-report --dry-run\n"
                "tls-report --tls-journal /var/lib/vsmtp/tls-journal 2026-11-22",
    .options = kOptions,
    .settings = kSettings,
};

std::string day_text(base::WallTime time) { return base::to_rfc3339(time).substr(0, kDayOctets); }

struct Day {
  std::string text;
  base::WallTime begin;

  static base::Result<Day> read(const base::CommandLine& line) {
    const auto now = base::wall_now();
    const auto text = line.arguments.empty() ? day_text(now - std::chrono::days(1)) : line.arguments.front();
    const auto begin = base::parse_rfc3339(text + "T00:00:00.000000Z");
    if (!begin || line.arguments.size() > 1) return base::fail(Fault::Usage, "expected one day, as 2026-11-22");
    const bool only_shows = line.has("json") || line.has("dry-run");
    if (!only_shows && *begin + std::chrono::days(1) > now) return base::fail(Fault::Usage, text + " is not over; its reports can only be shown (--json, --dry-run)");
    return Day{text, *begin};
  }
  [[nodiscard]] static std::string seconds(base::WallTime time) { return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count()); }
  [[nodiscard]] base::WallTime end() const { return begin + std::chrono::days(1) - std::chrono::seconds(1); }
};

// What a name of a domain in a header and the name of a file can have.
bool is_domain(std::string_view name) {
  return !name.empty() && name.size() <= 253 && std::ranges::all_of(name, [](char c) { return base::text::is_alpha(c) || base::text::is_digit(c) || c == '.' || c == '-' || c == '_'; });
}

// By domain. No journal of that day: nothing was counted.
base::Result<std::map<std::string, rpt::Tally>> count(const std::string& path) {
  std::map<std::string, rpt::Tally> tallies;
  if (::access(path.c_str(), F_OK) != 0) return tallies;
  const auto file = base::open_file(path, O_RDONLY);
  if (!file) return std::unexpected(file.error());
  const auto size = base::file_size(file->get());
  if (!size) return std::unexpected(size.error());
  const auto journal = base::Mapping::of(file->get(), 0, *size);
  if (!journal) return std::unexpected(journal.error());
  auto rest = journal->octets();
  while (!rest.empty()) {
    const auto [line, behind] = base::text::split_once(rest, '\n');
    rest = behind;
    const auto session = rpt::parse_session(line);
    if (session && is_domain(session->domain)) tallies[session->domain].add(*session);
  }
  return tallies;
}

class Reporter {
 public:
  Reporter(const base::CommandLine& line, Day day)
      : line_(line), day_(std::move(day)), own_domain_(base::server_domain(line.settings)), contact_(line.settings.text("tlsrpt.contact")), journal_(line.settings.text("remote.tls_journal") + "/" + day_.text),
        resolver_(net::dns::settings_of(line.settings)) {
    if (contact_.empty()) contact_ = "postmaster@" + own_domain_;
  }

  int run() {
    const auto tallies = count(journal_);
    if (!tallies) return base::report(kProgram, tallies.error());
    if (const auto sent = base::read_file(journal_ + std::string(kSent), std::size_t{64} << 20))
      for (const auto line : base::text::split(*sent, '\n')) sent_.emplace(line);
    for (const auto& [domain, tally] : *tallies) tell(domain, tally);
    if (!line_.has("json") && !line_.has("dry-run")) clear_old();
    return code_;
  }

 private:
  void tell(const std::string& domain, const rpt::Tally& tally) {
    const auto answer = resolver_.resolve("_smtp._tls." + domain, net::dns::Type::Txt);
    if (answer.status == net::dns::Status::Temporary) return failed(domain, answer.problem);
    for (const auto& uri : rpt::find_rua(answer.texts())) tell(domain, tally, uri);
  }

  void tell(const std::string& domain, const rpt::Tally& tally, const std::string& uri) {
    const auto mark = domain + " " + uri;
    if (line_.has("dry-run")) return print(domain + " " + std::to_string(tally.sessions()) + " " + uri + (sent_.contains(mark) ? " (sent)" : "") + "\n");
    const auto json = tally.report(about(domain));
    if (line_.has("json")) return print(json + "\n");
    if (sent_.contains(mark)) return;
    tls_report::Report report{domain, own_domain_, contact_, id(domain), Day::seconds(day_.begin), Day::seconds(day_.end()), tls_report::gzip(json)};
    const auto mailbox = rpt::mailbox_of(uri);
    if (!mailbox && !base::text::starts_with_ignoring_case(uri, "https:")) return failed(domain, uri + ": no address");
    const auto told = mailbox ? send(report, *mailbox) : post(report, uri);
    if (!told) return failed(domain, told.error().cause);
    base::log::info("TLS report sent", {{"domain", domain}, {"to", uri}, {"sessions", std::to_string(tally.sessions())}});
    note_sent(mark);
  }

  [[nodiscard]] std::string id(const std::string& domain) const { return day_.text + "." + domain; }
  [[nodiscard]] rpt::Tally::About about(const std::string& domain) const {
    constexpr std::size_t kSecondsOctets = 19;
    const auto time = [](base::WallTime when) { return base::to_rfc3339(when).substr(0, kSecondsOctets) + "Z"; };
    const auto& organization = line_.settings.text("tlsrpt.organization");
    return {organization.empty() ? own_domain_ : organization, contact_, id(domain) + "@" + own_domain_, time(day_.begin), time(day_.end())};
  }

  base::Result<void> send(const tls_report::Report& report, const std::string& mailbox) const {
    const base::BlobWriter::Limits limits;
    base::BlobWriter writer(limits);
    if (auto written = writer.append(tls_report::to_mail(report, mailbox, base::wall_now())); !written) return written;
    chain::Call call;
    call.message = writer.finish();
    call.envelope = chain::to_octets({contact_, {mailbox}});
    const auto outcome = chain::call_and_wait(line_.settings.words("tlsrpt.submission"), std::move(call), {});
    if (outcome.result == chain::Outcome::Class::Taken) return {};
    return base::fail(Fault::Temporary, mailbox + ": " + (outcome.reply.empty() ? outcome.cause : outcome.reply));
  }

  // RFC 8460 section 5.4.
  base::Result<void> post(const tls_report::Report& report, const std::string& uri) {
    net::HttpsRequest request;
    request.url = uri;
    for (const auto type : {net::dns::Type::Aaaa, net::dns::Type::A})
      for (auto& address : resolver_.resolve(net::host_of_url(uri), type).addresses()) request.addresses.push_back(std::move(address));
    // Whoever asks for reports is not to reach what only we can reach.
    const auto is_private = [](const std::string& ip) {
      const auto address = net::Address::from_ip(ip, 0);
      return !address || !net::is_public(*address);
    };
    if (!line_.settings.flag("tlsrpt.private_hosts") && std::erase_if(request.addresses, is_private) > 0 && request.addresses.empty())
      return base::fail(Fault::Temporary, uri + ": its host has private addresses only (tlsrpt.private_hosts)");
    request.authorities = line_.settings.text("sts.authorities");
    request.timeout_milliseconds = line_.settings.milliseconds("sts.fetch_timeout");
    request.body = report.json_gz;
    request.content_type = "application/tlsrpt+gzip";
    const auto answer = net::ask_https(request);
    if (answer.failure != net::HttpsAnswer::Failure::None) return base::fail(Fault::Temporary, answer.problem);
    if (answer.code < 200 || answer.code > 299) return base::fail(Fault::Temporary, uri + ": HTTP " + std::to_string(answer.code));
    return {};
  }

  // Another run of the same day does not tell them again.
  void note_sent(const std::string& mark) {
    const auto file = base::open_file(journal_ + std::string(kSent), O_WRONLY | O_APPEND | O_CREAT, 0640);
    const auto written = file ? base::write_all(file->get(), mark + "\n") : std::unexpected(file.error());
    if (!written) code_ = base::report(kProgram, written.error());
    sent_.insert(mark);  // a record may name the same address twice
  }

  void clear_old() const {
    const auto oldest = day_text(base::wall_now() - std::chrono::days(kDaysKept));
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(line_.settings.text("remote.tls_journal"), ignored)) {
      const auto name = entry.path().filename().string();
      const bool is_ours = base::parse_rfc3339(name.substr(0, kDayOctets) + "T00:00:00.000000Z") && (name.size() == kDayOctets || name.substr(kDayOctets) == kSent);
      if (is_ours && name.substr(0, kDayOctets) < oldest) fs::remove(entry.path(), ignored);
    }
  }

  void print(const std::string& text) {
    if (const auto written = base::write_all(STDOUT_FILENO, text); !written) code_ = base::report(kProgram, written.error());
  }
  void failed(const std::string& domain, const std::string& cause) { code_ = base::report(kProgram, {Fault::Temporary, domain + ": " + cause}); }

  const base::CommandLine& line_;
  Day day_;
  std::string own_domain_, contact_, journal_;
  net::dns::SharedResolver resolver_;
  std::set<std::string, std::less<>> sent_;
  int code_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const auto line = base::CommandLine::parse(kManual, argc, argv);
  if (!line) return base::report(kProgram, line.error());
  if (line->should_exit()) return 0;
  if (line->settings.text("remote.tls_journal").empty()) return base::report(kProgram, {Fault::Config, "remote.tls_journal: no folder; nothing is counted"});
  auto day = Day::read(*line);
  if (!day) return base::report(kProgram, day.error());
  if (::curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return base::report(kProgram, {Fault::Temporary, "libcurl cannot start"});
  return Reporter(*line, std::move(*day)).run();
}
