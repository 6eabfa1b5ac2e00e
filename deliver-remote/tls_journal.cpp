#include "deliver-remote/tls_journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "lib/base/io.h"
#include "lib/base/log.h"

namespace remote {
namespace {

// Words of the causes that tls_needs.cpp, lib/net/dane.cpp and the session give, the first that is there counts.
struct TypeRow {
  std::string_view words, type;
};
constexpr TypeRow kTypes[] = {
    {"does not offer STARTTLS", "starttls-not-supported"},
    {"MTA-STS: the policy of", "validation-failure"},
    {"DANE: TLSA", "dnssec-invalid"},
    {"level dane-only: ", "dane-required"},
    {"no TLSA record fits", "validation-failure"},
    {"the certificate is for", "certificate-host-mismatch"},
    {"expired", "certificate-expired"},
    {"certificate is not trusted", "certificate-not-trusted"},
    {"trust anchor", "certificate-not-trusted"},
};

}  // namespace

std::string_view failure_type(const Verdict& failure) {
  const bool is_of_tls = failure.stage == smtp::ClientStage::StartTls || failure.reply.status == "4.7.5" || failure.reply.status == "4.7.10";
  if (!is_of_tls) return {};
  if (!failure.is_ours) return "starttls-not-supported";  // refused by the host
  for (const auto& row : kTypes)
    if (failure.reply.text.contains(row.words)) return row.type;
  return "validation-failure";
}

// What is wrong with the folder may be mended while a resident runs.
void TlsJournal::open(const std::string& day, base::WallTime now) {
  constexpr auto kPause = std::chrono::minutes(1);
  day_.clear();
  file_ = {};
  if (now >= failed_ && now - failed_ < kPause) return;
  const auto path = folder_ + "/" + day;
  auto file = base::open_file(path, O_WRONLY | O_APPEND | O_CREAT, 0640);
  if (file) {
    file_ = std::move(*file);
    day_ = day;
  } else {
    failed_ = now;
    complain(file.error().cause);
  }
}

void TlsJournal::complain(const std::string& cause) {
  if (!std::exchange(has_complained_, true)) base::log::warning("sessions are not counted for reports", {{"cause", cause}});
}

void TlsJournal::note(const authn::tlsrpt::Session& session, base::WallTime now) {
  constexpr std::size_t kDayOctets = 10;  // 2026-11-22
  const auto day = base::to_rfc3339(now).substr(0, kDayOctets);
  if (day != day_) open(day, now);
  struct stat status;
  if (!file_.is_open() || ::fstat(file_.get(), &status) != 0 || static_cast<std::uint64_t>(status.st_size) >= size_max_) return;
  const auto line = authn::tlsrpt::format(session);
  const auto written = ::write(file_.get(), line.data(), line.size());  // in one piece: others append too
  if (written == static_cast<ssize_t>(line.size())) {
    has_complained_ = false;
  } else {
    complain(folder_ + "/" + day + ": " + (written < 0 ? std::strerror(errno) : "written in part"));
  }
}

}  // namespace remote
