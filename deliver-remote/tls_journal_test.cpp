#include "deliver-remote/tls_journal.h"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <fstream>

using namespace remote;
using Class = Verdict::Class;

TEST_CASE("tls journal: which failures are of TLS, and of what type") {
  const auto ours = [](const char* status, const char* text) { return failure_type(our_verdict(Class::Temporary, 451, status, text)); };
  CHECK(ours("4.7.10", "TLS is required, and the host does not offer STARTTLS") == "starttls-not-supported");
  CHECK(ours("4.7.5", "DANE: no TLSA record fits the certificate") == "validation-failure");
  CHECK(ours("4.7.5", "DANE: TLSA _25._tcp.mx.example.org: SERVFAIL") == "dnssec-invalid");
  CHECK(ours("4.7.5", "TLS level verify (MTA-STS): the certificate is for a; expected: b") == "certificate-host-mismatch");
  CHECK(ours("4.7.5", "TLS level verify (MTA-STS): the certificate is not trusted: The certificate validity has expired") == "certificate-expired");
  CHECK(ours("4.7.5", "TLS level verify: the certificate is not trusted: The certificate is not correctly signed by the trusted CA") == "certificate-not-trusted");
  CHECK(ours("4.7.5", "TLS handshake: SSL - A fatal alert message was received from our peer") == "validation-failure");
  CHECK(ours("4.4.1", "connect: Connection refused").empty());
  CHECK(failure_type({Class::Temporary, smtp::ClientStage::StartTls, false, {454, "4.7.0", "not now"}}) == "starttls-not-supported");
  CHECK(failure_type({Class::Permanent, smtp::ClientStage::Rcpt, false, {550, "5.1.1", "no such user"}}).empty());
}

TEST_CASE("tls journal: a file a day, of a size that is bounded") {
  std::string folder = std::filesystem::temp_directory_path() / "journal.XXXXXX";
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  const authn::tlsrpt::Session session{"example.org", "tlsa", {}, {}, "mx.example.org", "", "", "", ""};
  TlsJournal journal(folder, 2 * authn::tlsrpt::format(session).size());
  const auto day = base::WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22));
  for (int i = 0; i < 3; ++i) journal.note(session, day);
  journal.note(session, day + std::chrono::hours(24));
  const auto lines = [&](const char* name) {
    std::ifstream file(folder + "/" + name);
    std::string line;
    int count = 0;
    while (std::getline(file, line)) count += authn::tlsrpt::parse_session(line) == session;
    return count;
  };
  CHECK(lines("2026-11-22") == 2);
  CHECK(lines("2026-11-23") == 1);
  std::filesystem::remove_all(folder);
  TlsJournal nowhere(folder + "/none", 1000);
  nowhere.note(session, day);
  // The folder is there again, but it is not looked for at each session.
  std::filesystem::create_directories(folder + "/none");
  nowhere.note(session, day + std::chrono::seconds(59));
  CHECK(lines("none/2026-11-22") == 0);
  nowhere.note(session, day + std::chrono::seconds(60));
  CHECK(lines("none/2026-11-22") == 1);
  std::filesystem::remove_all(folder);
}
