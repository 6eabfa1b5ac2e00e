#include "smtpd/meters.h"

#include <algorithm>

#include "lib/base/open_metrics.h"
#include "lib/base/version.h"
#include "lib/sasl/mechanisms.h"

namespace smtpd {
namespace {

Meters* board = nullptr;

struct Row {
  Meter meter;
  std::string_view family;  // rows of one stand together
  std::string_view labels;
  std::string_view help;    // of the first of a family
};
constexpr auto kRows = std::to_array<Row>({
    {Meter::Connections, "vsmtp_smtpd_connections", "", "Connections that were let in"},
    {Meter::TurnedAway, "vsmtp_smtpd_turned_away", "", "Connections that were not"},
    {Meter::MessagesAccepted, "vsmtp_smtpd_messages", R"(outcome="accepted")", "Messages by the reply to their end"},
    {Meter::MessagesDeferred, "vsmtp_smtpd_messages", R"(outcome="deferred")", ""},
    {Meter::MessagesRefused, "vsmtp_smtpd_messages", R"(outcome="refused")", ""},
    {Meter::MessagesDiscarded, "vsmtp_smtpd_messages", R"(outcome="discarded")", ""},
    {Meter::MessagesGivenUp, "vsmtp_smtpd_messages", R"(outcome="given_up")", ""},
    {Meter::OctetsAccepted, "vsmtp_smtpd_accepted_octets", "", "Octets of accepted messages"},
    {Meter::RecipientsAccepted, "vsmtp_smtpd_accepted_recipients", "", "Recipients of accepted messages"},
    {Meter::RefusedByPolicy, "vsmtp_smtpd_refusals", R"(reason="policy")", "Commands that were refused or put off"},
    {Meter::RefusedRelaying, "vsmtp_smtpd_refusals", R"(reason="relaying")", ""},
    {Meter::PutOffByShield, "vsmtp_smtpd_refusals", R"(reason="rate")", ""},
    {Meter::Tls12, "vsmtp_smtpd_tls_handshakes", R"(protocol="TLSv1.2",kind="full")", "TLS handshakes by what came of them"},
    {Meter::Tls12Resumed, "vsmtp_smtpd_tls_handshakes", R"(protocol="TLSv1.2",kind="resumed")", ""},
    {Meter::Tls13, "vsmtp_smtpd_tls_handshakes", R"(protocol="TLSv1.3",kind="full")", ""},
    {Meter::Tls13Resumed, "vsmtp_smtpd_tls_handshakes", R"(protocol="TLSv1.3",kind="resumed")", ""},
    {Meter::TlsFailed, "vsmtp_smtpd_tls_handshakes", R"(protocol="none",kind="failed")", ""},
    {Meter::LogInsPutOff, "vsmtp_smtpd_log_ins_put_off", "", "Log-ins that could not be checked"},
    {Meter::OffenceError, "vsmtp_smtpd_offences", R"(deed="error")", "What the shield counts against clients"},
    {Meter::OffenceFailedLogIn, "vsmtp_smtpd_offences", R"(deed="failed_log_in")", ""},
    {Meter::Bans, "vsmtp_smtpd_bans", "", "Bans of addresses and networks"},
});
constexpr bool is_in_order() {
  for (std::size_t i = 0; i < kRows.size(); ++i)
    if (static_cast<std::size_t>(kRows[i].meter) != i) return false;
  return kRows.size() == static_cast<std::size_t>(Meter::kCount);
}
static_assert(is_in_order());

struct TimesRow {
  std::string_view family, help;
};
constexpr std::array<TimesRow, static_cast<std::size_t>(Stopwatch::kCount)> kTimes = {{
    {"vsmtp_smtpd_policy_seconds", "Time until a policy has answered"},
    {"vsmtp_smtpd_chain_seconds", "Time until the chain has answered for a message"},
}};

void add_times(base::OpenMetrics& out, const TimesRow& row, const Meters::Times& times) {
  out.begin(row.family, "histogram", row.help, "seconds");
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < times.counts.size(); ++i) {
    sum += times.counts[i].load(std::memory_order_relaxed);
    const std::string end = i < kBuckets.size() ? base::OpenMetrics::number(kBuckets[i]) : std::string("+Inf");
    out.add("_bucket", "le=\"" + end + "\"", sum);
  }
  out.add("_count", "", sum);
  out.add_number("_sum", "", static_cast<double>(times.microseconds.load(std::memory_order_relaxed)) / 1e6);
}

void add_log_ins(base::OpenMetrics& out, const Meters& meters) {
  constexpr std::string_view kFamily = "vsmtp_smtpd_log_ins";
  out.begin(kFamily, "counter", "Log-ins that were checked");
  const auto mechanisms = sasl::all_mechanisms();
  for (std::size_t i = 0; i < std::min(mechanisms.size(), kMechanisms); ++i)
    for (const bool is_right : {true, false}) {
      const auto labels = "mechanism=\"" + std::string(mechanisms[i].name) + "\",outcome=\"" + (is_right ? "right" : "wrong") + "\"";
      out.add("_total", labels, meters.log_ins[i][is_right ? 0 : 1].load(std::memory_order_relaxed));
    }
}

}  // namespace

void count_on(Meters* meters) { board = meters; }

void count(Meter meter, std::uint64_t amount) {
  if (board != nullptr) board->counters[static_cast<std::size_t>(meter)].fetch_add(amount, std::memory_order_relaxed);
}

void count_time(Stopwatch stopwatch, std::chrono::steady_clock::duration time) {
  if (board == nullptr) return;
  auto& times = board->times[static_cast<std::size_t>(stopwatch)];
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  const auto bucket = std::ranges::lower_bound(kBuckets, static_cast<double>(microseconds) / 1e6) - kBuckets.begin();
  times.counts[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  times.microseconds.fetch_add(static_cast<std::uint64_t>(microseconds), std::memory_order_relaxed);
}

void count_log_in(std::string_view mechanism, bool is_right) {
  const auto mechanisms = sasl::all_mechanisms();
  const auto place = static_cast<std::size_t>(std::ranges::find(mechanisms, mechanism, &sasl::Mechanism::name) - mechanisms.begin());
  if (board != nullptr && place < std::min(mechanisms.size(), kMechanisms)) board->log_ins[place][is_right ? 0 : 1].fetch_add(1, std::memory_order_relaxed);
}

std::string open_metrics(const Meters& meters, const Gauges& gauges) {
  base::OpenMetrics out;
  std::string_view family;
  for (const auto& row : kRows) {
    if (row.family != family) out.begin(row.family, "counter", row.help);
    family = row.family;
    out.add("_total", row.labels, meters.counters[static_cast<std::size_t>(row.meter)].load(std::memory_order_relaxed));
  }
  add_log_ins(out, meters);
  for (std::size_t i = 0; i < kTimes.size(); ++i) add_times(out, kTimes[i], meters.times[i]);
  out.gauge("vsmtp_smtpd_sessions", "Sessions that are open", static_cast<double>(gauges.sessions));
  out.gauge("vsmtp_smtpd_workers", "Processes that serve, those that finish their last sessions counted in", static_cast<double>(gauges.workers));
  out.gauge("vsmtp_smtpd_start_time_seconds", "When the counters were 0", gauges.started, "seconds");
  out.begin("vsmtp_smtpd_build", "info", "The program");
  out.add("_info", base::OpenMetrics::label("version", base::kVersion), 1);
  return std::move(out).end();
}

}  // namespace smtpd
