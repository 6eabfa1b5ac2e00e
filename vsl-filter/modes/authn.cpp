#include "vsl-filter/modes/authn.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "lib/authn/findings.h"
#include "lib/base/blob.h"
#include "lib/base/exits.h"
#include "lib/base/in_order.h"
#include "lib/base/io.h"
#include "lib/base/json_text.h"
#include "lib/base/text.h"
#include "lib/net/dns_shared.h"
#include "vsl-filter/api/authentication.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/transaction/message.h"
#include "vsl-filter/transaction/saved_message.h"

namespace rules {
namespace {

constexpr int kExitFailed = 1;
constexpr std::uint64_t kLargestMessage = std::uint64_t{1} << 30;

// Who asks, and how.
struct Host {
  explicit Host(const base::Settings& settings) : site(Site::of(settings, {})), resolver(net::dns::settings_of(settings)) {}

  Site site;
  net::dns::SharedResolver resolver;
};

struct Examined {
  std::string separator;  // of an mbox
  Message message;
  authn::Findings findings;
  [[nodiscard]] bool has_failed() const { return findings.dmarc->result == authn::dmarc::Result::Fail; }
};

authn::SpfFinding ask_spf(const Host& host, const net::Address& client, const SavedFacts& facts, const authn::LookUp& look_up) {
  authn::SpfFinding finding;
  finding.query.client = client;
  finding.query.helo = facts.helo;
  finding.query.sender = facts.reverse_path.value_or("");
  finding.query.receiver = host.site.domain;
  finding.outcome = authn::spf::check(finding.query, look_up);
  return finding;
}

// What the options say wins over what the message tells of itself.
SavedFacts facts_of(const Message& message, std::string_view separator, const GivenFacts& given) {
  auto facts = facts_of(message.header(), separator);
  if (given.client_ip) facts.client_ip = *given.client_ip;
  if (given.helo) facts.helo = *given.helo;
  if (given.reverse_path) facts.reverse_path = *given.reverse_path;
  return facts;
}

authn::Findings examine(Host& host, const Message& message, const SavedFacts& facts) {
  const authn::LookUp look_up = [&host](const std::string& name, net::dns::Type type) { return host.resolver.resolve(name, type); };
  const auto options = verify_options_of(host.site);
  const auto index = authn::index_for_authentication(message.octets());
  authn::Findings findings;
  // Without a client there is nobody to ask about: DKIM speaks alone.
  if (const auto client = net::Address::from_ip(facts.client_ip, 0)) {
    findings.client_ip = facts.client_ip;
    findings.iprev = authn::iprev::check(*client, look_up);
    findings.spf = ask_spf(host, *client, facts, look_up);
  }
  findings.dkim = authn::findings_of(authn::dkim::verify(index, look_up, options));
  findings.dmarc = authn::evaluate_dmarc(index, findings, look_up);
  if (auto arc = authn::finding_of(authn::arc::verify(index, look_up, options)); arc.result != authn::arc::Result::None) findings.arc = std::move(arc);
  return findings;
}

base::Result<Examined> examine_file(Host& host, const Options& options, const std::string& name) {
  const auto shown = name == "-" ? std::string("standard input") : name;
  base::UniqueFd file;
  if (name != "-") {
    auto opened = base::open_file(name, O_RDONLY);
    if (!opened) return std::unexpected(opened.error());
    file = std::move(*opened);
  }
  auto blob = base::Blob::of_descriptor(name == "-" ? STDIN_FILENO : file.get(), kLargestMessage);
  if (!blob) return base::fail_within(shown, blob.error());
  auto message = Message::open(*blob);
  if (!message) return base::fail_within(shown, message.error());
  std::string separator(mbox_separator(message->octets()));
  if (!separator.empty()) message = Message::open(base::Blob::of_octets(std::string(message->octets().substr(separator.size()))));
  if (!message) return base::fail_within(shown, message.error());
  auto findings = examine(host, *message, facts_of(*message, separator, options.facts));
  return Examined{std::move(separator), std::move(*message), std::move(findings)};
}

// "  dkim   pass  header.d=example.org header.s=a (reason)"
std::string as_text(std::string_view name, const authn::Findings& findings) {
  std::string text = base::text::printable(name) + ":\n";
  for (const auto& result : authn::method_results(findings)) {
    std::string line = "  " + result.method;
    line.resize(std::max<std::size_t>(line.size() + 1, 9), ' ');
    line += result.result;
    line.resize(std::max<std::size_t>(line.size() + 1, 20), ' ');
    for (const auto& property : result.properties)
      if (!property.value.empty()) line += " " + property.name + "=" + base::text::printable(property.value, 300);
    if (!result.reason.empty()) line += " (" + base::text::printable(result.reason, 300) + ")";
    text += line + "\n";
  }
  return text;
}

std::string as_json(std::string_view name, const authn::Findings& findings) {
  std::string text = "{";
  base::json::append_member(text, "file", name);
  base::json::append_name(text, "results");
  return text + authn::to_json(findings) + "}\n";
}

struct Report {
  std::string text;
  bool has_failed = false;
  std::optional<base::Error> error;
};

Report report_of(Host& host, const Options& options, const std::string& name) {
  const auto examined = examine_file(host, options, name);
  if (!examined) return {{}, false, examined.error()};
  if (options.is_quiet) return {{}, examined->has_failed(), {}};
  const std::string_view shown = name == "-" ? std::string_view("standard input") : std::string_view(name);
  return {options.as_json ? as_json(shown, examined->findings) : as_text(shown, examined->findings), examined->has_failed(), {}};
}

}  // namespace

int authenticate_files(const base::Settings& settings, const Options& options) {
  Host host(settings);
  int exit_code = 0, failure = 0;
  base::for_each_in_order(
      options.files.size(), options.jobs, [&](std::size_t i) { return report_of(host, options, options.files[i]); },
      [&](Report report) {
        if (report.error) failure = base::report(kManual.program, *report.error);
        if (report.has_failed) exit_code = kExitFailed;
        const auto written = base::write_all(STDOUT_FILENO, report.text);
        if (!written) failure = base::report(kManual.program, written.error());
        return written.has_value();
      });
  return failure != 0 ? failure : exit_code;
}

int authenticate_standard_input(const base::Settings& settings, const Options& options) {
  Host host(settings);
  auto examined = examine_file(host, options, "-");
  if (!examined) return base::report(kManual.program, examined.error());
  const std::string id = authserv_id_of(host.site);
  auto& header = examined->message.header();
  (void)strip_results(header, id);
  const auto added = header.prepend("Authentication-Results", authn::authentication_results(id, authn::method_results(examined->findings)));
  if (!added) return base::report(kManual.program, added.error());
  const auto message = examined->message.finish({});
  if (!message) return base::report(kManual.program, message.error());
  auto written = base::write_all(STDOUT_FILENO, examined->separator);
  if (written) written = message->write_to(STDOUT_FILENO);
  if (!written) return base::report(kManual.program, written.error());
  return examined->has_failed() ? kExitFailed : 0;
}

}  // namespace rules
