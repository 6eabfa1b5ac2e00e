#include "vsl-filter/api/authentication.h"

#include <libpsl.h>

#include "lib/base/text.h"
#include "lib/net/dns_sections.h"
#include "lib/net/dns_shared.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/soft_refusal.h"
#include "vsl-filter/lang/json.h"
#include "vsl-filter/services/facilities.h"
#include "vsl-filter/services/service.h"

namespace rules {

using vsl::Run;
using vsl::Value;

namespace {

constexpr std::string_view kResultsField = "Authentication-Results";

authn::spf::Query spf_query(const Site& site, const Session& session, const Transaction& transaction) {
  authn::spf::Query query;
  if (const auto client = net::Address::from_ip(session.connection.client_ip, 0)) query.client = *client;
  query.sender = transaction.given_reverse_path;
  query.helo = session.connection.helo;
  query.receiver = site.host_name;
  return query;
}

authn::SpfFinding ask_spf(Run& run, authn::spf::Query query) {
  authn::SpfFinding finding{std::move(query), {}};
  if (finding.query.client.is_ip()) {
    finding.outcome = authn::spf::check(finding.query, look_up_of(run));
  } else {
    finding.outcome.problem = "the client came by no network";
  }
  return finding;
}

std::uint64_t seconds_now(const Site& site) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(site.now().time_since_epoch()).count());
}

}  // namespace

std::string virtual_domain_of(Run& run) {
  const Scene& scene = scene_of(run);
  if (scene.session == nullptr) return {};
  const auto& connection = scene.session->connection;
  return net::dns::section_of(scene.site.settings, {connection.server_name, connection.tls ? std::string_view(connection.tls->sni) : std::string_view(), connection.server_ip});
}

authn::LookUp look_up_of(Run& run) {
  const Site& site = scene_of(run).site;
  return [&run, &site, domain = virtual_domain_of(run)](const std::string& name, net::dns::Type type) {
    const Waiting waiting(run);
    return site.look_up ? site.look_up(name, type) : site.facilities->resolver(site.settings, domain).resolve(name, type);
  };
}

authn::Findings findings_in(const Transaction& transaction) {
  authn::Findings findings;
  for (const auto& [method, json] : transaction.results) authn::read_finding(findings, method, json);
  return findings;
}

Value finding_value(Run& run, const Transaction& transaction, std::string_view method) {
  const auto found = transaction.results.find(method);
  if (found == transaction.results.end()) return {};
  return value_of_json(run, found->second);
}

Value value_of_json(Run& run, std::string_view json) {
  auto value = vsl::json::read(run.heap(), json);
  return value ? *std::move(value) : Value();
}

void need_spf(Run& run, const Session& session, Transaction& transaction, authn::Findings& findings) {
  if (findings.spf) return;
  findings.spf = ask_spf(run, spf_query(scene_of(run).site, session, transaction));
  transaction.results["spf"] = authn::to_json(*findings.spf);
}

void need_spf_helo(Run& run, const Session& session, Transaction& transaction, authn::Findings& findings) {
  if (findings.spf_helo) return;
  auto query = spf_query(scene_of(run).site, session, transaction);
  query.identity = authn::spf::Identity::Helo;
  findings.spf_helo = ask_spf(run, std::move(query));
  transaction.results["spf_helo"] = authn::to_json(*findings.spf_helo);
}

void need_iprev(Run& run, const Session& session, Transaction* transaction, authn::Findings& findings) {
  if (findings.iprev) return;
  findings.client_ip = session.connection.client_ip;
  const auto client = net::Address::from_ip(findings.client_ip, 0);
  findings.iprev = client ? authn::iprev::check(*client, look_up_of(run)) : authn::iprev::Outcome{authn::iprev::Result::PermError, {}, "the client came by no network"};
  if (transaction != nullptr) transaction->results["iprev"] = authn::to_json(*findings.iprev, findings.client_ip);
}

bool need_dkim(Run& run, Transaction& transaction, authn::Findings& findings) {
  if (findings.dkim) return false;
  const auto message = authn::index_for_authentication(transaction.message->octets());
  findings.dkim = authn::findings_of(authn::dkim::verify(message, look_up_of(run), verify_options_of(scene_of(run).site)));
  transaction.results["dkim"] = authn::to_json(std::span<const authn::DkimFinding>(*findings.dkim));
  return true;
}

bool need_dmarc(Run& run, const Session& session, Transaction& transaction, authn::Findings& findings) {
  if (findings.dmarc) return false;
  need_spf(run, session, transaction, findings);
  (void)need_dkim(run, transaction, findings);
  const auto message = authn::index_for_authentication(transaction.message->octets());
  findings.dmarc = authn::evaluate_dmarc(message, findings, look_up_of(run));
  transaction.results["dmarc"] = authn::to_json(*findings.dmarc);
  return true;
}

bool need_arc(Run& run, Transaction& transaction, authn::Findings& findings) {
  if (findings.arc) return false;
  const auto message = authn::index_for_authentication(transaction.message->octets());
  findings.arc = authn::finding_of(authn::arc::verify(message, look_up_of(run), verify_options_of(scene_of(run).site)));
  transaction.results["arc"] = authn::to_json(*findings.arc);
  return true;
}

authn::dkim::VerifyOptions verify_options_of(const Site& site) {
  authn::dkim::VerifyOptions options;
  options.signatures = static_cast<std::size_t>(site.settings.count("authn.signatures_max"));
  options.rsa_bits_min = static_cast<unsigned>(site.settings.count("authn.key_bits_min"));
  options.rsa_bits_max = static_cast<unsigned>(site.settings.count("authn.key_bits_max"));
  options.now = seconds_now(site);
  return options;
}

std::string authserv_id_of(const Site& site) {
  const auto& given = site.settings.text("authn.authserv_id");
  return given.empty() ? site.domain : given;
}

std::string authserv_root_of(const Site& site) {
  const std::string id = authserv_id_of(site);
  if (!site.settings.text("authn.authserv_id").empty()) return id;
  const psl_ctx_t* list = psl_builtin();
  const char* registered = list == nullptr ? nullptr : psl_registrable_domain(list, domain_key(id).c_str());
  return registered == nullptr ? id : registered;
}

std::size_t strip_results(HeaderList& header, std::string_view authserv_id) {
  return header.remove_that_came(kResultsField, [id = base::text::to_lower(authserv_id)](std::string_view body) { return authn::authserv_id_of(body) == id; });
}

vsl::Expected<void> add_results_field(Run& run, Session& session, std::string_view authserv_id, const std::vector<authn::MethodResult>& results) {
  auto& header = session.headers();
  if (scene_of(run).stage == Stage::Preq) (void)strip_results(header, authserv_id);
  if (const auto added = header.prepend(kResultsField, authn::authentication_results(authserv_id, results)); !added) return fail_with(added.error());
  return {};
}

Value unknown_for_now(Run& run, Reply reply) { return has_client(scene_of(run).stage) ? soft_refusal(run, std::move(reply)) : next_status(run); }

}  // namespace rules
